import { DecimalText, isFhirObject, type FhirValue, type Format } from '../engine/index.js';
import type { Translation } from '../translate.js';

/**
 * Leaves of a source document that the translation does not account for: neither mapped, carried nor ignored; or mapped, four
 * characters or longer, and yet nowhere in the output as text, number, time or code (a rule with a code map stands for its code, a system's URI for its name).
 */
export function unaccounted(format: Format, source: Uint8Array, { account, resources }: Translation): string[] {
  const { root } = format.read(source, { maxBytes: 10_000_000 });
  const kept = new Set([...account.carried, ...account.ignored].map(({ path }) => path));
  const mapped = new Map(account.mapped.map(({ path, to }) => [path, to]));
  const output = texts(resources as unknown as FhirValue);
  const all = output.join('\n');
  const digits = output.map((text) => text.replace(/\D/g, '')).join(' ');
  return root.leaves().flatMap(({ path, value = '' }) => {
    if (kept.has(path) || value.trim() === '') return [];
    const to = mapped.get(path);
    if (to === undefined) return [path];
    return value.trim().length < 4 || path.endsWith('/@codeSystemName') || standsFor(value, to) || occurs(value, all, digits)
      ? []
      : [`${path} → ${to}`];
  });
}

/** Where CDA's codes and times stand; a pointer into the narrative is neither. */
const codesOfCda = /(?<!reference\/)@(code|value)$/;

/**
 * Coded and dated values of a document, and how many of them stand in a typed element: each value once, in however many elements it stands. Not
 * counted are those that a named rule ignores, and `kinds`: those that stand in no element, but decided which resource their entry is, such as the
 * code of a section. `where` matches the paths of such values.
 */
export function codedValues(
  { account }: Translation,
  where: RegExp = codesOfCda,
): { readonly values: number; readonly typed: number; readonly kinds: number } {
  const pathsOf = (entries: readonly { readonly path: string }[]): string[] =>
    entries.map(({ path }) => path).filter((path) => where.test(path));
  const typed = new Set(pathsOf(account.mapped.filter(({ chose }) => chose !== true)));
  const kinds = new Set(pathsOf(account.mapped).filter((path) => !typed.has(path)));
  const rest = pathsOf(account.carried).filter((path) => !typed.has(path) && !kinds.has(path));
  return { values: typed.size + rest.length, typed: typed.size, kinds: kinds.size };
}

/** What became of the values of documents: each counts once, with the first of these that holds of it. */
export interface Fates {
  readonly values: number;
  /** Stand in an element, wholly or in part. */
  readonly mapped: number;
  /** Decided which resource there is, and are carried. */
  readonly chose: number;
  readonly carried: number;
  readonly ignored: number;
}

export function fatesOf(translations: readonly Pick<Translation, 'account'>[]): Fates {
  const sum = { values: 0, mapped: 0, chose: 0, carried: 0, ignored: 0 };
  for (const { account } of translations) {
    const fates = new Map<string, Exclude<keyof Fates, 'values'>>();
    for (const { path } of account.ignored) fates.set(path, 'ignored');
    for (const { path } of account.carried) fates.set(path, 'carried');
    for (const { path, chose } of account.mapped) if (chose === true) fates.set(path, 'chose');
    for (const { path, chose } of account.mapped) if (chose !== true) fates.set(path, 'mapped');
    for (const fate of fates.values()) sum[fate] += 1;
    sum.values += fates.size;
  }
  return sum;
}

/** Every text of some JSON: what the code maps of a format or country can bring into an output. */
export function textsOf(json: unknown): Set<string> {
  if (typeof json === 'string') return new Set([json]);
  return typeof json === 'object' && json !== null ? new Set(Object.values(json).flatMap((one) => [...textsOf(one)])) : new Set();
}

/** Elements that hold a code or a system in place of the source's own, by a code map or a table. */
const coded =
  /(status|Status|onsetAge|doseNumberPositiveInt|gender|type|category\[\d+\]|system|severity|use|criticality|code|periodUnit|period|medicationCodeableConcept|itemCodeableConcept|reasonCode\[\d+\]|bodySite\[\d+\]|priority|contributedToDeath|documentType|asNeededCodeableConcept|dayOfWeek\[\d+\]|when\[\d+\]|coding\[\d+\])(\.coding\[0\]\.(code|system))?$/;
const standsFor = (value: string, to: string): boolean => coded.test(to) && !/\s/.test(value.trim());

function occurs(value: string, all: string, digits: string): boolean {
  const collapsed = value
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/^[<>]=?/, '');
  const plain = collapsed.replace(/\D/g, '');
  return (
    all.includes(value) ||
    all.includes(collapsed) ||
    all.toLowerCase().includes(collapsed.replace(/^(tel|mailto|fax):(\/\/)?/i, '').toLowerCase()) ||
    // FHIR wants minutes and seconds in a time of day.
    (plain.length >= 4 &&
      (digits.includes(plain) ||
        digits.includes(plain.replace(/^(\d{12})/, '$100')) ||
        digits.includes(plain.replace(/^(\d{10})(\d{4})?$/, '$10000$2')))) ||
    // A pointer into the narrative stands in the output as what it points to; the syntax that chose a type, as the type.
    /^#/.test(collapsed) ||
    /^[A-Z_]{2,8}$/.test(collapsed)
  );
}

function texts(value: FhirValue): string[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  if (value instanceof DecimalText) return [value.text];
  return isFhirObject(value) ? Object.values(value).flatMap(texts) : [String(value)];
}
