/**
 * Code systems that HL7 names by a URI ("Using Codes in FHIR", R4 §4.3, and the NamingSystems of HL7 Terminology), each with the object identifiers and the other
 * spellings under which it is met. A coding with one of these instead of the URI is not known to receivers.
 */
const spellings: Readonly<Record<string, readonly string[]>> = {
  'http://loinc.org': ['urn:oid:2.16.840.1.113883.6.1'],
  'http://snomed.info/sct': ['urn:oid:2.16.840.1.113883.6.96', 'http://snomed.info', 'http://snomed.info/id'],
  'http://unitsofmeasure.org': ['urn:oid:2.16.840.1.113883.6.8', 'http://aurora.regenstrief.org/ucum'],
  'http://www.whocc.no/atc': ['urn:oid:2.16.840.1.113883.6.73', 'http://whocc.no/atc'],
  'http://hl7.org/fhir/sid/icd-10': ['urn:oid:2.16.840.1.113883.6.3', 'http://hl7.org/fhir/sid/icd10'],
  'http://hl7.org/fhir/sid/icd-10-cm': ['urn:oid:2.16.840.1.113883.6.90'],
  'http://hl7.org/fhir/sid/icd-9-cm': ['urn:oid:2.16.840.1.113883.6.103'],
  'http://hl7.org/fhir/sid/cvx': ['urn:oid:2.16.840.1.113883.12.292'],
  'http://standardterms.edqm.eu': ['urn:oid:0.4.0.127.0.16.1.1.2.1', 'http://standardterms.edqm.org'],
  'http://www.nlm.nih.gov/research/umls/rxnorm': ['urn:oid:2.16.840.1.113883.6.88'],
  'http://www.ama-assn.org/go/cpt': ['urn:oid:2.16.840.1.113883.6.12'],
  'http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender': ['urn:oid:2.16.840.1.113883.5.1'],
  'http://terminology.hl7.org/CodeSystem/v3-ActCode': ['urn:oid:2.16.840.1.113883.5.4'],
  'http://terminology.hl7.org/CodeSystem/v3-ActClass': ['urn:oid:2.16.840.1.113883.5.6'],
  'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation': ['urn:oid:2.16.840.1.113883.5.83'],
  'http://terminology.hl7.org/CodeSystem/v3-RoleCode': ['urn:oid:2.16.840.1.113883.5.111'],
};

/** Looked up for every coding of every message, so each spelling stands here as it may come. */
const canonical: ReadonlyMap<string, string> = new Map(
  Object.entries(spellings).flatMap(([uri, others]) =>
    [uri, ...others].flatMap(variantsOf).map((spelling): [string, string] => [spelling, uri]),
  ),
);

/** What makes no other address of a web page: `https`, `www.`, a slash at the end. */
function variantsOf(system: string): string[] {
  const [, page] = /^http:\/\/(?:www\.)?(.+)$/.exec(system) ?? [];
  if (page === undefined) return [system];
  return ['http://', 'http://www.', 'https://', 'https://www.'].flatMap((start) => [`${start}${page}`, `${start}${page}/`]);
}

/** The URI that HL7 gives the code system which `system` names in whatever spelling; undefined where it is not among the known ones. */
export function canonicalSystem(system: string): string | undefined {
  return canonical.get(system);
}

/** An absolute URI (RFC 3986 §4.3) without blanks, as R4 demands of a system; `urn:oid:` only with an object identifier. */
export function isSystemUri(system: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+$/.test(system)) return false;
  return !system.startsWith('urn:oid:') || /^urn:oid:[0-2](\.(0|[1-9]\d*))+$/.test(system);
}
