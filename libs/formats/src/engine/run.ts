import { BuildJob, buildObject, type Facts } from './build.js';
import { checkedDraft, rememberedCodes } from './checked-codes.js';
import { merged, type Draft } from './drafts.js';
import { isFhirObject } from './fhir.js';
import { Refused, type Finding, type MappingQuestion } from './findings.js';
import { findInstances, InstanceIndex, type IdentityContext, type Instance } from './instances.js';
import { inCanonicalUnits } from '../terminology/canonical-units.js';
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

/** What became of one instance: its draft, why it was refused, or nothing where the source has nothing for it. */
type Made = Draft | Refused | undefined;

/** And what was told on the way, and to what it refers. */
interface Outcome {
  readonly built: Made;
  readonly findings: readonly Finding[];
  readonly questions: readonly MappingQuestion[];
  readonly references: ReadonlySet<string>;
}

/**
 * Runs all rules of `set` over one source document. An entry that is refused is left out, and what referred to it is built again without it,
 * so that no reference points at what is not there.
 */
export function run(root: SourceNode, set: MapSet, identity: IdentityContext, facts: Facts): RunResult {
  const rejects: Reject[] = [];
  const outcomes = new Map<Instance, Outcome>();
  let { instances, index } = findInstances(root, set, identity);
  for (;;) {
    const gone = new Set<string>();
    for (const instance of instances) {
      if (outcomes.has(instance)) continue;
      const outcome = outcomeOf(instance, new BuildJob(set, index, facts));
      outcomes.set(instance, outcome);
      if (!isDraft(outcome.built)) gone.add(nameOf(instance));
      rejects.push(...rejectOf(instance, outcome.built));
    }
    if (gone.size === 0) return resultOf(instances, outcomes, rejects, set);
    instances = instances.filter((instance) => isDraft(outcomes.get(instance)?.built));
    index = new InstanceIndex(instances);
    for (const instance of instances) if (refersTo(gone, outcomes.get(instance))) outcomes.delete(instance);
  }
}

const isDraft = (made: Made): made is Draft => made !== undefined && !(made instanceof Refused);

const nameOf = ({ rule, id }: Instance): string => `${rule.resource}/${id}`;

function refersTo(gone: ReadonlySet<string>, outcome: Outcome | undefined): boolean {
  if (outcome === undefined) return false;
  for (const one of outcome.references) if (gone.has(one)) return true;
  return false;
}

function resultOf(
  instances: readonly Instance[],
  outcomes: ReadonlyMap<Instance, Outcome>,
  rejects: readonly Reject[],
  { units, possible }: MapSet,
): RunResult {
  const all = instances.flatMap((instance) => outcomes.get(instance) ?? []);
  const findings = all.flatMap((outcome) => outcome.findings);
  const can = rememberedCodes((system, code) => possible.has(system, code));
  const tell = (one: Finding): void => void findings.push(one);
  const drafts = all.flatMap(({ built }) => (isDraft(built) ? [checkedDraft(built, tell, can)] : []));
  const { drafts: whole, warnings } = merged(drafts, findings);
  const converted = whole.map((draft) => inCanonicalUnits(draft, units, (one) => void warnings.push(one)));
  return { drafts: converted, warnings, rejects, questions: all.flatMap(({ questions }) => questions) };
}

function rejectOf(instance: Instance, built: Outcome['built']): Reject[] {
  if (!(built instanceof Refused) || instance.rule.rule.accompanies === true) return [];
  return [{ ...built.finding, severity: built.severity === 'document' ? 'document' : 'entry' }];
}

function outcomeOf(instance: Instance, job: BuildJob): Outcome {
  return { built: buildOne(instance, job), findings: job.findings, questions: job.questions, references: job.references };
}

function buildOne(instance: Instance, job: BuildJob): Made {
  try {
    const built = buildObject(instance.rule.elements, instance.node, job);
    if (built === undefined || !isFhirObject(built.value) || !built.marks.some((mark) => mark.kind === 'source')) return undefined;
    const resource = { resourceType: instance.rule.resource, id: instance.id, ...built.value };
    return { resource, marks: built.marks, instance, mention: instance.rule.mention?.(instance.node) === true };
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}
