import { PortolanError, type SearchTraits } from '@portolan/contracts';
import { isFhirObject, type FhirObject, type FhirValue } from '@portolan/formats';

/** Bounds of the contract `search-traits`. */
const MAX_IDENTIFIERS = 5;
const MAX_SYSTEM = 255;
const MAX_TEXT = 128;

/**
 * What a Patient sent to `$match` says of the person looked for: identifiers with their system, the whole birth date, the first name.
 * Throws `request.identifier-missing` where there is no identifier (never on demographics alone; design, section 4) and
 * `fhir.parameter-invalid` for more or longer traits than may be sent.
 */
export function matchTraits(patient: FhirObject): SearchTraits {
  if (patient['resourceType'] !== 'Patient') throw invalid('resource', 'a Patient is expected');
  const identifiers = objects(patient['identifier']).flatMap(({ system, value }) =>
    typeof system === 'string' && typeof value === 'string'
      ? [{ system: bounded(system, 'identifier', MAX_SYSTEM), value: bounded(value, 'identifier') }]
      : [],
  );
  if (identifiers.length === 0) throw new PortolanError('request.identifier-missing', 'Patient.identifier');
  if (identifiers.length > MAX_IDENTIFIERS) throw invalid('resource.identifier', `more than ${MAX_IDENTIFIERS}`);
  return { identifiers, ...birthDateOf(patient), ...nameOf(patient) };
}

function birthDateOf(patient: FhirObject): { birthDate?: string } {
  const { birthDate } = patient;
  if (birthDate === undefined) return {};
  if (typeof birthDate !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(birthDate))
    throw invalid('resource.birthDate', 'a whole date is expected');
  return { birthDate };
}

function nameOf(patient: FhirObject): { family?: string; given?: string } {
  const [name] = objects(patient['name']);
  const family = name?.['family'];
  const given = Array.isArray(name?.['given']) ? name['given'].filter((one) => typeof one === 'string').join(' ') : '';
  return {
    ...(typeof family === 'string' ? { family: bounded(family, 'name') } : {}),
    ...(given === '' ? {} : { given: bounded(given, 'name') }),
  };
}

function bounded(text: string, element: string, max: number = MAX_TEXT): string {
  if (text.trim() === '' || text.length > max) throw invalid(`resource.${element}`, `empty or longer than ${max} characters`);
  return text;
}

const invalid = (name: string, detail: string): PortolanError => new PortolanError('fhir.parameter-invalid', `Parameters.${name}`, detail);

const objects = (value: FhirValue | undefined): readonly FhirObject[] => (Array.isArray(value) ? value.filter(isFhirObject) : []);
