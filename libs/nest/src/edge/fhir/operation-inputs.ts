import { PortolanError, type CalendarDate, type DataCategory, type Purpose, type Uuid } from '@portolan/contracts';
import { DATA_CATEGORIES, isUuid, type OperationParameters } from '@portolan/domain';
import { WAIT_MS } from '../crossing.js';
import { header, type FhirCall } from './fhir-call.js';
import type { FhirCaller } from './fhir-caller.js';

const PURPOSES: readonly Purpose[] = ['TREAT', 'ETREAT', 'HPAYMT', 'PUBHLTH', 'PATRQT', 'HRESCH'];
const MAX_REASON = 500;

const invalid = (name: string, detail: string): PortolanError => new PortolanError('fhir.parameter-invalid', `Parameters.${name}`, detail);

/** The purpose named, else the one that the professional's statement puts first; the crossing refuses one that it does not name. */
export function purposeOf(parameters: OperationParameters | undefined, { purpose }: FhirCaller): Purpose {
  const named = parameters?.text('purpose');
  if (named === undefined) return purpose;
  const known = PURPOSES.find((one) => one === named);
  if (known === undefined) throw invalid('purpose', 'a v3-ActReason code of the six that may cross is expected');
  return known;
}

/** Milliseconds that the client waits on the line: `wait` in seconds, none with `Prefer: respond-async`, ten seconds at most. */
export function waitOf(parameters: OperationParameters | undefined, call: FhirCall): number {
  if (/\brespond-async\b/.test(header(call, 'prefer') ?? '')) return 0;
  return Math.min(WAIT_MS, (parameters?.integer('wait') ?? Infinity) * 1000);
}

export function categoriesOf(parameters: OperationParameters): readonly DataCategory[] {
  const named = parameters.texts('category').map((text) => {
    const known = DATA_CATEGORIES.find((one) => one === text);
    if (known === undefined) throw invalid('category', `one of ${DATA_CATEGORIES.join(', ')} is expected`);
    return known;
  });
  if (named.length === 0) throw invalid('category', 'missing');
  return [...new Set(named)];
}

export function dateOf(parameters: OperationParameters, name: 'since' | 'until'): CalendarDate | undefined {
  const date = parameters.text(name);
  if (date !== undefined && !isCalendarDate(date)) throw invalid(name, 'a date YYYY-MM-DD is expected');
  return date;
}

function isCalendarDate(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00.000Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

export function uuidOf(parameters: OperationParameters, name: string): Uuid | undefined {
  const text = parameters.text(name)?.replace(/^urn:uuid:/, '');
  if (text !== undefined && !isUuid(text)) throw invalid(name, 'a lower-case UUID is expected');
  return text;
}

export function reasonOf(parameters: OperationParameters): string {
  const reason = parameters.needed('reason').trim();
  if (reason === '' || reason.length > MAX_REASON) throw invalid('reason', `between 1 and ${MAX_REASON} characters are expected`);
  return reason;
}

/** The emergency declared before, by its id, and why it is needed for this person. */
export function emergencyOf(parameters: OperationParameters): { id: string; reason: string } | undefined {
  const parts = parameters.parts('emergency');
  if (parts === undefined) return undefined;
  const id = uuidOf(parts, 'id');
  if (id === undefined) throw new PortolanError('fhir.parameter-invalid', 'Parameters.emergency.id', 'missing');
  return { id, reason: reasonOf(parts) };
}
