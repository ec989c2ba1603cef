import { isFhirObject, type FhirObject, type FhirValue } from '@portolan/formats';

/** FHIR R4 link-type by which two Patients of one person name each other; `seealso` where either record goes on (HL7 v2 A24). */
const JOINING: ReadonlySet<unknown> = new Set(['replaces', 'replaced-by', 'seealso']);

const linksOf = ({ link }: FhirObject): readonly FhirValue[] => (Array.isArray(link) ? link : []);

const otherOf = (link: FhirValue): unknown => {
  const other = isFhirObject(link) ? link['other'] : undefined;
  return isFhirObject(other) ? other['reference'] : undefined;
};

const isJoining = (link: FhirValue): boolean => isFhirObject(link) && JOINING.has(link['type']);

const isReplaced = (patient: FhirObject): boolean => linksOf(patient).some((link) => isFhirObject(link) && link['type'] === 'replaced-by');

/** The Patient as it stands, with what a later document says of its joining: links are added, and who is replaced is active no more. */
export function joinedPatient(standing: FhirObject, said: FhirObject): FhirObject {
  const fresh = linksOf(said).filter((link) => isJoining(link) && !linksOf(standing).some((known) => sameLink(known, link)));
  return withLinks(standing, [...linksOf(standing), ...fresh]);
}

/** What a source says of a Patient anew, with the joining that stands: its own messages do not speak of that, and end it by no silence. */
export function keptJoined(next: FhirObject, standing: FhirObject): FhirObject {
  return linksOf(standing).some(isJoining) ? joinedPatient(next, standing) : next;
}

/** The Patient without its joining to any of these (`Patient/<id>`); unchanged where it had none. */
export function partedPatient(standing: FhirObject, others: ReadonlySet<string>): FhirObject {
  const left = linksOf(standing).filter((link) => !(isJoining(link) && others.has(String(otherOf(link)))));
  return left.length === linksOf(standing).length ? standing : withLinks(standing, left);
}

const sameLink = (a: FhirValue, b: FhirValue): boolean =>
  isFhirObject(a) && isFhirObject(b) && a['type'] === b['type'] && otherOf(a) === otherOf(b);

function withLinks(patient: FhirObject, link: readonly FhirValue[]): FhirObject {
  const { link: _link, active, ...rest } = patient;
  const next: FhirObject = { ...rest, ...(link.length > 0 && { link: [...link] }) };
  if (isReplaced(next)) return { ...next, active: false };
  // Inactive because it was replaced: what it was before, nobody says any more.
  return active === undefined || (isReplaced(patient) && active === false) ? next : { ...next, active };
}
