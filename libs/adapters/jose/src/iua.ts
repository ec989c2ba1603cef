import { PortolanError, type BusinessIdentifier, type Purpose } from '@portolan/contracts';
import type { ActingProfessional } from '@portolan/domain';
import type { JWTPayload } from 'jose';

/*
 * The JWT extension of IHE Internet User Authorization, ITI TF-2 3.71.4.2.2.1.1: `extensions.ihe_iua` with subject_name,
 * subject_organization, subject_organization_id (a URI), subject_role and purpose_of_use (arrays of FHIR Coding),
 * national_provider_identifier, person_id, home_community_id. There all are optional; to name who acts we need all but the last two.
 */
const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const URI_SYSTEM = 'urn:ietf:rfc:3986';
const PURPOSES: readonly string[] = ['TREAT', 'ETREAT', 'HPAYMT', 'PUBHLTH', 'PATRQT', 'HRESCH'] satisfies Purpose[];
/** v3-ActReason codes that mean one of the coarse six. */
const NARROWER: Readonly<Record<string, Purpose>> = { BTG: 'ETREAT', CAREMGT: 'TREAT', CLINTRL: 'HRESCH' };
const MAX_CODINGS = 10;

type Claims = Readonly<Record<string, unknown>>;

/** Whether a token carries the extension at all. */
export function hasIua(claims: JWTPayload): boolean {
  return iuaOf(claims) !== undefined;
}

/**
 * Who acts, read from verified claims. `providerSystem` is the identifier system (URI) of the authority that issues
 * national_provider_identifier. Throws `access.professional-missing` with the name of the claim.
 */
export function actingProfessional(claims: JWTPayload, providerSystem: string): ActingProfessional {
  const iua = iuaOf(claims);
  if (iua === undefined) throw missing('extensions.ihe_iua');
  const personId = optionalText(iua, 'person_id', 128);
  return {
    actor: {
      kind: 'professional',
      name: text(iua, 'subject_name', 200),
      id: { system: providerSystem, value: text(iua, 'national_provider_identifier', 128) },
      role: roleOf(iua),
      organisation: { id: organisationId(iua), name: text(iua, 'subject_organization', 200) },
    },
    purposes: purposesOf(iua),
    ...(personId === undefined ? {} : { personId }),
  };
}

function iuaOf(claims: JWTPayload): Claims | undefined {
  const extensions = claims['extensions'];
  return isRecord(extensions) && isRecord(extensions['ihe_iua']) ? extensions['ihe_iua'] : undefined;
}

function organisationId(iua: Claims): BusinessIdentifier {
  const value = text(iua, 'subject_organization_id', 128);
  if (!/^[a-z][a-z0-9+.-]*:[^\s:]/i.test(value)) throw missing('subject_organization_id');
  return { system: URI_SYSTEM, value };
}

/** An organisation's identifier as the URI that IUA wants. */
export function organisationUri({ system, value }: BusinessIdentifier): string {
  return system === URI_SYSTEM ? value : `${system}${system.startsWith('urn:') ? ':' : '/'}${value}`;
}

function roleOf(iua: Claims): string {
  const [first] = codings(iua, 'subject_role');
  if (first === undefined || first.code.length > 100) throw missing('subject_role');
  return first.code;
}

/** Purposes outside v3-ActReason or outside what may cross are passed over; one at least must remain. */
function purposesOf(iua: Claims): readonly Purpose[] {
  const codes = codings(iua, 'purpose_of_use').flatMap(({ system, code }) => (system === ACT_REASON ? [NARROWER[code] ?? code] : []));
  const purposes = [...new Set(codes.filter(isPurpose))];
  if (purposes.length === 0) throw missing('purpose_of_use');
  return purposes;
}

const isPurpose = (code: string): code is Purpose => PURPOSES.includes(code);

function codings(iua: Claims, claim: string): readonly { system: unknown; code: string }[] {
  const list: unknown = iua[claim];
  if (!Array.isArray(list) || list.length > MAX_CODINGS) throw missing(claim);
  return list.filter(isRecord).flatMap(({ system, code }) => (typeof code === 'string' && code.length > 0 ? [{ system, code }] : []));
}

function text(iua: Claims, claim: string, maxChars: number): string {
  const value = optionalText(iua, claim, maxChars);
  if (value === undefined) throw missing(claim);
  return value;
}

function optionalText(iua: Claims, claim: string, maxChars: number): string | undefined {
  const value = iua[claim];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.trim() === '' || value.length > maxChars) throw missing(claim);
  return value;
}

const isRecord = (value: unknown): value is Claims => typeof value === 'object' && value !== null && !Array.isArray(value);

const missing = (claim: string): PortolanError => new PortolanError('access.professional-missing', claim);
