import { PortolanError } from '@portolan/contracts';

export type FhirFormat = 'json' | 'xml';

/** Content-Type of an answer in a format (R4 §3.1.0.1.10). */
export const contentTypeOf = (format: FhirFormat): string => `application/fhir+${format}; fhirVersion=4.0; charset=utf-8`;

const formats: ReadonlyMap<string, FhirFormat> = new Map([
  ['json', 'json'],
  ['application/fhir+json', 'json'],
  ['application/json', 'json'],
  ['application/json+fhir', 'json'],
  ['text/json', 'json'],
  ['xml', 'xml'],
  ['application/fhir+xml', 'xml'],
  ['application/xml', 'xml'],
  ['application/xml+fhir', 'xml'],
  ['text/xml', 'xml'],
]);
const anyOf: ReadonlySet<string> = new Set(['*/*', 'application/*', '*']);

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

function mediaRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const pairs = rest.map((part): [string, string] => {
    const [name = '', value = ''] = part.split('=');
    return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')];
  });
  return { type: type.toLowerCase(), parameters: new Map(pairs) };
}

/** R4 §3.1.0.1.10: `fhirVersion` 4.0 is this version; none means any. */
const isThisVersion = ({ parameters }: MediaRange): boolean => ['4.0', '4.0.1', undefined].includes(parameters.get('fhirversion'));

function quality({ parameters }: MediaRange): number {
  const q = Number(parameters.get('q') ?? '1');
  return q >= 0 && q <= 1 ? q : 0;
}

/**
 * The format of the answer: `_format` where given, else the best range of Accept, else JSON (R4 §3.1.0.1.11). `others` are media types of forms
 * that are no FHIR. Throws `fhir.not-acceptable` (406).
 */
export function answerFormat<Other extends string = never>(
  accept: string | undefined,
  format: string | undefined,
  others: ReadonlyMap<string, Other> = new Map(),
): FhirFormat | Other {
  const known = new Map<string, FhirFormat | Other>([...others, ...formats]);
  if (format !== undefined && format !== '') return formatOf(format, '_format', known);
  if (accept === undefined || accept.trim() === '') return 'json';
  return acceptedOf(accept, known);
}

function acceptedOf<Any extends string>(accept: string, known: ReadonlyMap<string, Any>): Any | 'json' {
  if (accept.length > 1000) throw new PortolanError('fhir.not-acceptable', 'Accept', 'too long');
  const ranges = accept
    .split(',')
    .map(mediaRange)
    .filter((range) => isThisVersion(range) && quality(range) > 0)
    .filter(({ type }) => known.has(type) || anyOf.has(type));
  // A stable sort: of equal quality the first wins.
  const best = ranges.sort((a, b) => quality(b) - quality(a))[0];
  if (best === undefined) throw new PortolanError('fhir.not-acceptable', 'Accept');
  return known.get(best.type) ?? 'json';
}

function formatOf<Any extends string>(text: string, where: string, known: ReadonlyMap<string, Any>): Any {
  // A plus sign in a query is a space once decoded: `_format=application/fhir+json`.
  const range = mediaRange(text.trim().replaceAll(' ', '+'));
  const format = known.get(range.type);
  if (format === undefined || !isThisVersion(range)) throw new PortolanError('fhir.not-acceptable', where);
  return format;
}

/** The format of a request's body. Throws `fhir.media-type-unsupported` (415). */
export function bodyFormat(contentType: string | undefined): FhirFormat {
  const range = mediaRange(contentType ?? '');
  const format = formats.get(range.type);
  const charset = (range.parameters.get('charset') ?? 'utf-8').toLowerCase();
  const refused = format === undefined || !range.type.includes('/') || !isThisVersion(range) || !['utf-8', 'utf8'].includes(charset);
  if (refused) throw new PortolanError('fhir.media-type-unsupported', 'Content-Type');
  return format;
}
