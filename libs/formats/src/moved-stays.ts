import { isFhirObject, type Reject } from './engine/index.js';
import type { RunResult } from './engine/run.js';
import { personTraits, type PersonTraits } from './person-traits.js';

/** A stay that was another's until now (HL7 v2 A45), or stood under another number of hers. */
export interface MovedStay {
  /** Whose it was, as the document identifies her. */
  readonly person: PersonTraits;
  /** Indexes of the Encounters: under the number that it had, and under the one that it has; the same where neither person nor number changed. */
  readonly from: number;
  readonly to: number;
}

type Drafts = RunResult['drafts'];

const stays = (drafts: Drafts): Drafts => drafts.filter(({ resource }) => resource.resourceType === 'Encounter');

/** What names a stay as it was: made of MRG, beside the PV1 that names it as it is. */
const isBefore = ({ instance }: Drafts[number]): boolean => instance.node.name === 'MRG';

const pairOf = (before: Drafts[number], after: Drafts[number]): boolean => before.instance.node.parent === after.instance.node;

/** The stays that a document moves, in its order. */
export function movedStays(drafts: Drafts): readonly MovedStay[] {
  const all = stays(drafts);
  return all
    .filter((draft) => !isBefore(draft))
    .flatMap((after) => {
      const before = all.find((one) => isBefore(one) && pairOf(one, after)) ?? after;
      const person = drafts.findIndex((one) => `Patient/${one.resource.id}` === subjectOf(before));
      const patient = drafts[person]?.resource;
      return patient === undefined
        ? []
        : [{ person: personTraits(patient, person), from: drafts.indexOf(before), to: drafts.indexOf(after) }];
    });
}

/** Two stays that would become one: that is a joining (HL7 v2 A42), which no move says. */
export function unpairedStays(drafts: Drafts): readonly Reject[] {
  const all = stays(drafts);
  return all
    .filter((before) => isBefore(before) && !all.some((after) => !isBefore(after) && pairOf(before, after)))
    .map(({ instance }) => ({
      code: 'translate.value-conflict',
      path: instance.node.path,
      rule: instance.rule.id,
      severity: 'document',
    }));
}

function subjectOf({ resource }: Drafts[number]): unknown {
  const { subject } = resource;
  return isFhirObject(subject) ? subject['reference'] : undefined;
}
