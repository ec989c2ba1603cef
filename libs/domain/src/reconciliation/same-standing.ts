import { child, objects, text, type Json, type Resource } from '../release/resource.js';

/** What a FHIR R4 status word says of the fact itself, over the value sets of the types that are compared. */
const MEANS: Readonly<Record<string, string>> = {
  active: 'now',
  recurrence: 'now',
  relapse: 'now',
  'in-progress': 'now',
  inactive: 'over',
  remission: 'over',
  resolved: 'over',
  completed: 'over',
  stopped: 'over',
  registered: 'told',
  preliminary: 'told',
  final: 'told',
  amended: 'told',
  corrected: 'told',
};

/** What was never so, or is not known to be so, is the same as nothing. */
const NOTHING: ReadonlySet<string> = new Set(['entered-in-error', 'cancelled', 'unknown', 'draft']);

/**
 * Whether two entries give the fact the same standing: what goes on and what is over are two statements, and so are what was done and what was
 * not. An entry without a clinical status says no more than that it is so.
 */
export function compatibleStanding(a: Resource, b: Resource): boolean {
  const [one, other] = [wordsOf(a), wordsOf(b)];
  if ([...one.all, ...other.all].some((word) => NOTHING.has(word))) return false;
  return (
    (MEANS[one.status] ?? one.status) === (MEANS[other.status] ?? other.status) &&
    (MEANS[one.clinical] ?? one.clinical) === (MEANS[other.clinical] ?? other.clinical) &&
    one.verified === other.verified &&
    one.negated === other.negated
  );
}

interface Words {
  readonly status: string;
  readonly clinical: string;
  /** How sure it is: confirmed where nothing else is said. */
  readonly verified: string;
  /** `doNotPerform` of a request. */
  readonly negated: boolean;
  readonly all: readonly string[];
}

function wordsOf(resource: Resource): Words {
  const status = text(resource, 'status') ?? '';
  const clinical = codeIn(resource['clinicalStatus']) ?? 'active';
  const verified = codeIn(resource['verificationStatus']) ?? 'confirmed';
  return { status, clinical, verified, negated: resource['doNotPerform'] === true, all: [status, clinical, verified] };
}

const codeIn = (concept: Json | undefined): string | undefined => {
  const [coding] = objects(child(concept, 'coding'));
  return coding === undefined ? undefined : text(coding, 'code');
};
