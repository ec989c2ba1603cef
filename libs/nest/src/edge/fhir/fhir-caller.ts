import { PortolanError, type BusinessIdentifier, type Purpose } from '@portolan/contracts';
import { isUuid, scopeAllows, type ScopeAct, type ViewReader } from '@portolan/domain';
import { authenticateClinician, professionalKey, type CallHeaders, type Clinician } from '../access.js';
import type { EdgeParts } from '../edge.parts.js';
import { header, type FhirCall, type OtherForm } from './fhir-call.js';

/** Header by which a call says to which case it belongs: views of other cases are then as if they were not there. */
export const CASE_HEADER = 'portolan-case';

/** Who calls the FHIR API: a system or an application, and the professional who acts through it, for one purpose. */
export interface FhirCaller extends Clinician {
  readonly purpose: Purpose;
  readonly reader: ViewReader;
  /** In which form the caller reads, where it is not FHIR: every act of the call says so. */
  readonly form?: OtherForm;
}

/** A scope that a call needs, as SMART writes it: `'*'` is every type. */
export type Need = readonly [type: string, act: ScopeAct];

/**
 * The scope that a resource of the type needs. A document holds entries of every type, and its table of contents names its sections, refers to all
 * entries and has the words of sections without any: to read either needs a scope over all of them.
 */
export const needOf = (type: string, act: ScopeAct = 'r'): Need => [type === 'Bundle' || type === 'Composition' ? '*' : type, act];

/** Throws what `authenticateClinician` throws, and `fhir.scope-missing`. */
export async function fhirCaller(call: FhirCall, parts: EdgeParts, ...needs: readonly Need[]): Promise<FhirCaller> {
  const clinician = await authenticateClinician(call.headers, parts);
  for (const need of needs) demandScope(clinician, need);
  const { purposes } = clinician.acting;
  const [purpose] = purposes;
  if (purpose === undefined) throw new PortolanError('access.professional-missing', 'purpose_of_use');
  const reader = { professional: professionalKey(clinician), purposes, caseId: caseOf(call) };
  return { ...clinician, purpose, reader, ...(call.form !== undefined && { form: call.form }) };
}

/** Who acts at a door beside the FHIR API: the acting professional by the same rules. Throws as `fhirCaller` does. */
export const actingCaller = (headers: CallHeaders, parts: EdgeParts): Promise<FhirCaller> =>
  fhirCaller({ method: 'POST', params: {}, query: new URLSearchParams(), headers, body: undefined }, parts);

export const mayAct = ({ principal }: Clinician, [type, act]: Need): boolean =>
  scopeAllows(principal.scopes, contextOf(principal.kind), type, act);

const contextOf = (kind: string): 'system' | 'user' => (kind === 'system' ? 'system' : 'user');

function demandScope(clinician: Clinician, need: Need): void {
  if (mayAct(clinician, need)) return;
  throw new PortolanError('fhir.scope-missing', 'access token', `${contextOf(clinician.principal.kind)}/${need[0]}.${need[1]}`);
}

function caseOf(call: FhirCall): string | undefined {
  const value = header(call, CASE_HEADER);
  if (value !== undefined && !isUuid(value))
    throw new PortolanError('fhir.parameter-invalid', `header ${CASE_HEADER}`, 'a lower-case UUID is expected');
  return value;
}

/** A statement that is bound to one person (IUA `person_id`) opens nobody else's record. */
export function demandPerson(caller: Clinician, identifiers: readonly BusinessIdentifier[]): void {
  if (!isStated(caller, identifiers)) throw new PortolanError('fhir.person-not-stated', 'person_id');
}

/** Whether the statement is bound to nobody, or to the person of these identifiers. */
export function isStated({ acting: { personId } }: Clinician, identifiers: readonly BusinessIdentifier[]): boolean {
  return personId === undefined || identifiers.some(({ value }) => value === personId);
}
