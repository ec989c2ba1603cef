import { buildObject, type BuildJob } from './build.js';
import { checkedDraft } from './checked-codes.js';
import { merged, type Draft } from './drafts.js';
import { isFhirObject } from './fhir.js';
import { Refused, type Finding, type MappingQuestion } from './findings.js';
import { findInstances, InstanceIndex, type IdentityContext, type Instance } from './instances.js';
import { inCanonicalUnits, type CanonicalUnits } from '../terminology/canonical-units.js';
import type { MapSet } from './map-set.js';
import type { SourceNode } from './source-node.js';

/** A refusal of one entry, or of the whole document. */
export interface Reject extends Finding {
  readonly severity: 'entry' | 'document';
}

export interface RunResult {
  readonly drafts: readonly Draft[];
  readonly warnings: readonly Finding[];
  readonly rejects: readonly Reject[];
  readonly questions: readonly MappingQuestion[];
}

/** What became of one instance: its draft, or why it was refused; what was told on the way, and to what it refers. */
interface Outcome {
  readonly built: Draft | Refused;
  readonly findings: readonly Finding[];
  readonly questions: readonly MappingQuestion[];
  readonly references: ReadonlySet<string>;
}

/**
 * Runs all rules of `set` over one source document. An entry that is refused is left out, and what referred to it is built again without it,
 * so that no reference points at what is not there.
 */
export function run(root: SourceNode, set: MapSet, identity: IdentityContext, facts: BuildJob['facts']): RunResult {
  const rejects: Reject[] = [];
  const outcomes = new Map<Instance, Outcome>();
  let instances = findInstances(root, set, identity);
  for (;;) {
    const common = { set, instances: new InstanceIndex(instances), facts };
    const gone = new Set<string>();
    for (const instance of instances) {
      if (outcomes.has(instance)) continue;
      const outcome = outcomeOf(instance, common);
      outcomes.set(instance, outcome);
      if (outcome.built instanceof Refused) gone.add(nameOf(instance));
      rejects.push(...rejectOf(instance, outcome.built));
    }
    if (gone.size === 0) return resultOf(instances, outcomes, rejects, set.units);
    instances = instances.filter((instance) => !(outcomes.get(instance)?.built instanceof Refused));
    for (const instance of instances) if (refersTo(gone, outcomes.get(instance))) outcomes.delete(instance);
  }
}

const nameOf = ({ rule, id }: Instance): string => `${rule.resource}/${id}`;

function refersTo(gone: ReadonlySet<string>, outcome: Outcome | undefined): boolean {
  return outcome !== undefined && [...outcome.references].some((one) => gone.has(one));
}

function resultOf(
  instances: readonly Instance[],
  outcomes: ReadonlyMap<Instance, Outcome>,
  rejects: readonly Reject[],
  units: CanonicalUnits,
): RunResult {
  const all = instances.flatMap((instance) => outcomes.get(instance) ?? []);
  const findings = all.flatMap((outcome) => outcome.findings);
  const drafts = all.flatMap(({ built }) => (built instanceof Refused ? [] : [checkedDraft(built, (one) => void findings.push(one))]));
  const { drafts: whole, warnings } = merged(drafts, findings);
  const converted = whole.map((draft) => inCanonicalUnits(draft, units, (one) => void warnings.push(one)));
  return { drafts: converted, warnings, rejects, questions: all.flatMap(({ questions }) => questions) };
}

function rejectOf(instance: Instance, built: Outcome['built']): Reject[] {
  if (!(built instanceof Refused) || built.finding.path === '' || instance.rule.rule.accompanies === true) return [];
  return [{ ...built.finding, severity: built.severity === 'document' ? 'document' : 'entry' }];
}

function outcomeOf(instance: Instance, common: Omit<BuildJob, 'findings' | 'questions' | 'references'>): Outcome {
  const job = { ...common, findings: [], questions: [], references: new Set<string>() };
  return { built: buildOne(instance, job), findings: job.findings, questions: job.questions, references: job.references };
}

function buildOne(instance: Instance, job: BuildJob): Draft | Refused {
  try {
    const built = buildObject(instance.rule.elements, instance.node, job);
    if (built === undefined || !isFhirObject(built.value) || !built.marks.some((mark) => mark.kind === 'source'))
      return nothingThere(instance);
    const resource = { resourceType: instance.rule.resource, id: instance.id, ...built.value };
    return { resource, marks: built.marks, instance, mention: instance.rule.mention?.(instance.node) === true };
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

/** The source has nothing for this entry: it is left out without a word, like an entry refused. */
function nothingThere(instance: Instance): Refused {
  return new Refused({ code: 'translate.value-missing', path: '', rule: instance.rule.id }, 'entry');
}
