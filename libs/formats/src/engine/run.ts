import { buildObject, Refused, type BuildJob, type Finding } from './build.js';
import { merged, type Draft } from './drafts.js';
import { isFhirObject } from './fhir.js';
import { findInstances, InstanceIndex, type IdentityContext, type Instance } from './instances.js';
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
}

/**
 * Runs all rules of `set` over one source document. An entry that is refused is left out and the rest is built again
 * without it, so that no reference points at what is not there.
 */
export function run(root: SourceNode, set: MapSet, identity: IdentityContext, facts: BuildJob['facts']): RunResult {
  const rejects: Reject[] = [];
  let instances = findInstances(root, set, identity);
  for (;;) {
    const findings: Finding[] = [];
    const refused = new Set<Instance>();
    const job = { set, instances: new InstanceIndex(instances), facts, findings };
    const drafts = instances.flatMap((instance) => {
      const outcome = buildOne(instance, job);
      if (!(outcome instanceof Refused)) return outcome;
      refused.add(instance);
      if (outcome.finding.path !== '' && instance.rule.rule.accompanies !== true)
        rejects.push({ ...outcome.finding, severity: outcome.severity === 'document' ? 'document' : 'entry' });
      return [];
    });
    if (refused.size === 0) return { ...merged(drafts, findings), rejects };
    instances = instances.filter((instance) => !refused.has(instance));
  }
}

function buildOne(instance: Instance, job: BuildJob): Draft[] | Refused {
  try {
    const built = buildObject(instance.rule.elements, instance.node, job);
    if (built === undefined || !isFhirObject(built.value) || !built.marks.some((mark) => mark.kind === 'source'))
      return nothingThere(instance);
    const resource = { resourceType: instance.rule.resource, id: instance.id, ...built.value };
    return [{ resource, marks: built.marks, instance, mention: instance.rule.mention?.(instance.node) === true }];
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

/** The source has nothing for this entry: it is left out without a word, like an entry refused. */
function nothingThere(instance: Instance): Refused {
  return new Refused({ code: 'translate.value-missing', path: '', rule: instance.rule.id }, 'entry');
}
