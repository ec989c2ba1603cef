import type { Instant } from '@portolan/contracts';
import type { FhirObject } from '../fhir/index.js';
import type { TimeSpan, Translation } from '@portolan/formats';
import { instant } from '../kernel/machine.port.js';

/** The age of what a message says of one resource, by the message's own word. */
export interface Age {
  /** When the content was entered or released at its source: HL7 v2 OBR-22 of a report and its results, else EVN-2. */
  readonly content: TimeSpan | undefined;
  /** When the message was made: MSH-7, CDA effectiveTime. */
  readonly sent: TimeSpan | undefined;
}

/** The age of a resource as it stands: the earliest that its times may mean. */
export interface StandingAge {
  readonly content: Instant | undefined;
  readonly sent: Instant | undefined;
}

/**
 * Whether a message came after a newer one: what it says of a resource was entered, or else was sent, before what stands. Times that are
 * unknown or may be the same prove nothing, and then what comes later is taken to be newer.
 */
export function isOlder(told: Age, standing: StandingAge): boolean {
  const byContent = order(told.content, standing.content);
  return byContent === 0 ? order(told.sent, standing.sent) < 0 : byContent < 0;
}

function order(told: TimeSpan | undefined, standing: Instant | undefined): number {
  if (told === undefined || standing === undefined) return 0;
  const stands = Date.parse(standing);
  if (told.to < stands) return -1;
  return told.from > stands ? 1 : 0;
}

/** How old a resource is once this is filed. A clock that runs ahead is not believed: nothing is said after it was received. */
export function standingAge({ content, sent }: Age, received: Instant): StandingAge {
  const now = Date.parse(received);
  const at = (span: TimeSpan | undefined): Instant | undefined => (span === undefined ? undefined : instant(Math.min(span.from, now)));
  return { content: at(content), sent: at(sent) };
}

/** The age of each resource of a translation, in the order of its resources. */
export function agesOf({ resources, times }: Pick<Translation, 'resources' | 'times'>): readonly Age[] {
  const released = new Map<string, TimeSpan>();
  for (const report of resources.filter(({ resourceType }) => resourceType === 'DiagnosticReport')) {
    const span = issuedOf(report);
    if (span === undefined) continue;
    released.set(`DiagnosticReport/${report.id}`, span);
    for (const result of resultsOf(report)) released.set(result, span);
  }
  return resources.map(({ resourceType, id }) => ({ content: released.get(`${resourceType}/${id}`) ?? times.recorded, sent: times.sent }));
}

/** FHIR instant: to the second at least. */
function issuedOf({ issued }: FhirObject): TimeSpan | undefined {
  if (typeof issued !== 'string') return undefined;
  const from = Date.parse(issued);
  return Number.isNaN(from) ? undefined : { from, to: issued.includes('.') ? from : from + 999 };
}

function resultsOf({ result }: FhirObject): readonly string[] {
  const results = Array.isArray(result) ? (result as readonly unknown[]) : [];
  return results.flatMap((one) => {
    const reference = typeof one === 'object' && one !== null && 'reference' in one ? one.reference : undefined;
    return typeof reference === 'string' ? [reference] : [];
  });
}
