import { PortolanError } from '@portolan/contracts';
import { bodyFormat, isRefused, OperationParameters, parseFhirJson, type FhirObject, type ParsedResource } from '@portolan/domain';
import type { CallHeaders } from '../access.js';
import type { EdgeParts } from '../edge.parts.js';
import { ResourceRefused } from './fhir-failure.js';

/** Forms other than FHIR in which a document of a record may be read, where the country has declared them (`formatsOut`). */
export type OtherForm = 'hl7v2' | 'cda';

/** Largest FHIR body in bytes. */
export const FHIR_BODY_LIMIT = 8_000_000;

/** One call of the FHIR API, as its handler sees it: nothing is read of the body until the handler asks. */
export interface FhirCall {
  readonly method: string;
  /** Parts of the address by their names in the route. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: CallHeaders;
  readonly body: Uint8Array | undefined;
  /** The form in which the answer is wanted, where it is not FHIR. */
  readonly form?: OtherForm;
}

/** What a handler answers: FHIR JSON text, which is written as XML where the client wants that. */
export interface FhirAnswer {
  readonly status: number;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The text is no FHIR resource and goes out as `application/json`. */
  readonly plain?: true;
  /** The text is no FHIR at all, and goes out as this. */
  readonly contentType?: string;
  /** What goes out instead of the text, which is in another character set than UTF-8. */
  readonly bytes?: Uint8Array;
}

export const ok = (text: string, headers: Readonly<Record<string, string>> = {}): FhirAnswer => ({ status: 200, text, headers });

export const header = ({ headers }: Pick<FhirCall, 'headers'>, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

export const hasBody = ({ body }: FhirCall): boolean => body !== undefined && body.length > 0;

type Reader = Pick<EdgeParts, 'fhirXml' | 'fhirValidator'>;

/**
 * The resource in the body, read from JSON or XML and judged by the rules of FHIR R4: digits of decimals stay. Throws
 * `fhir.media-type-unsupported`, `fhir.json-invalid`, `fhir.xml-invalid`, or the validator's findings.
 */
export function resourceOf(call: FhirCall, { fhirXml, fhirValidator }: Reader): ParsedResource {
  const format = bodyFormat(header(call, 'content-type'));
  const text = utf8Of(call.body ?? new Uint8Array(), format === 'xml' ? 'fhir.xml-invalid' : 'fhir.json-invalid');
  const resource = parseFhirJson(format === 'xml' ? fhirXml.toJson(text) : text, 'the body');
  demandValid(resource, fhirValidator);
  return resource;
}

/** Throws the findings where the resource breaks a rule of FHIR R4. */
export function demandValid(resource: FhirObject, validator: EdgeParts['fhirValidator']): void {
  const issues = validator.validate(resource);
  if (isRefused(issues)) throw new ResourceRefused(issues);
}

export const parametersIn = (call: FhirCall, reader: Reader): OperationParameters => OperationParameters.of(resourceOf(call, reader));

/** Parameters of `POST _search`: the form in the body and what stands in the address (R4 §3.1.1.1). */
export function searchParameters(call: FhirCall): readonly (readonly [string, string])[] {
  if (call.method !== 'POST') return [...call.query];
  const [type = ''] = (header(call, 'content-type') ?? '').split(';');
  if (hasBody(call) && type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new PortolanError('fhir.media-type-unsupported', 'Content-Type', 'application/x-www-form-urlencoded is expected');
  }
  const form = new URLSearchParams(utf8Of(call.body ?? new Uint8Array(), 'fhir.parameter-invalid'));
  return [...call.query, ...form];
}

function utf8Of(bytes: Uint8Array, code: 'fhir.json-invalid' | 'fhir.xml-invalid' | 'fhir.parameter-invalid'): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new PortolanError(code, 'the body', 'not UTF-8');
  }
}
