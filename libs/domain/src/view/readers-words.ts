import { isFhirObject, type Displays, type FhirObject, type FhirValue } from '@portolan/formats';
import type { SummaryWording } from '@portolan/contracts';

/** In which words a country's readers are shown what came from abroad. */
export interface ReadersWords {
  /** BCP 47, the reader's own first. */
  readonly languages: readonly string[];
  /** Words of documents, in the first of the languages. */
  readonly wording: SummaryWording;
  readonly displays: Displays;
}

/** FHIR's own place for a text in another language (R4 extension registry). */
const TRANSLATION = 'http://hl7.org/fhir/StructureDefinition/translation';

/**
 * The tree in which each coding says besides, as a translation of its display, what its code is called in the reader's language. Code and display
 * stay as they came; a coding that has a translation into that language keeps it, and `meta` is left alone. A coding that came without a display
 * gets the one that its own system gives the code, where that is at hand.
 */
export function worded(value: FhirValue, words: ReadersWords): FhirValue {
  return mapCodings(value, (bare) => {
    const display = nameOf(bare, words);
    const coding = display === undefined ? bare : { ...bare, display };
    const extension = translationOf(coding, words);
    if (extension === undefined) return coding;
    const held = isFhirObject(coding['_display']) ? coding['_display'] : {};
    return { ...coding, _display: { ...held, extension: [...extensionsOf(coding), extension] } };
  });
}

/**
 * A resource that a reader hands back, without the translations and displays that she was shown and `item` does not hold: they are this node's
 * words, and no change of hers.
 */
export function unworded(value: FhirValue, item: FhirValue, words: ReadersWords): FhirValue {
  const native = new Set<string>();
  mapCodings(item, (coding) => {
    for (const one of translationsIn(coding)) native.add(keyOf(coding, one));
    if (coding['display'] !== undefined) native.add(displayKeyOf(coding));
    return coding;
  });
  return mapCodings(value, (shown) => {
    const coding = native.has(displayKeyOf(shown)) ? shown : withoutName(shown, words);
    const { _display, ...bare } = coding;
    const own = translationOf({ system: bare['system'] ?? '', code: bare['code'] ?? '' }, words);
    if (own === undefined || !isFhirObject(_display) || native.has(keyOf(coding, own))) return coding;
    const left = extensionsOf(coding).filter((one) => !isFhirObject(one) || keyOf(coding, one) !== keyOf(coding, own));
    const { extension: _extension, ...others } = _display;
    const display = left.length === 0 ? others : { ...others, extension: left };
    return Object.keys(display).length === 0 ? bare : { ...bare, _display: display };
  });
}

/** The display that this node gives a coding without one. */
function nameOf({ system, code, display }: FhirObject, { displays }: ReadersWords): string | undefined {
  if (display !== undefined || typeof system !== 'string' || typeof code !== 'string') return undefined;
  return displays.named(system, code)?.text;
}

/** The coding without the display that this node gives it. */
function withoutName(coding: FhirObject, words: ReadersWords): FhirObject {
  const { display, ...bare } = coding;
  return display !== undefined && display === nameOf(bare, words) ? bare : coding;
}

/** The translation that this node adds to a coding; undefined where it has none to add. */
function translationOf(coding: FhirObject, { displays, languages }: ReadersWords): FhirObject | undefined {
  const { system, code, display } = coding;
  if (typeof system !== 'string' || typeof code !== 'string') return undefined;
  const wording = displays.wording(system, code, languages);
  if (wording === undefined || wording.text === display) return undefined;
  if (translationsIn(coding).some((one) => primaryOf(partOf(one, 'lang', 'valueCode')) === primaryOf(wording.language))) return undefined;
  return {
    extension: [
      { url: 'lang', valueCode: wording.language },
      { url: 'content', valueString: wording.text },
    ],
    url: TRANSLATION,
  };
}

const extensionsOf = ({ _display }: FhirObject): readonly FhirValue[] =>
  isFhirObject(_display) && Array.isArray(_display['extension']) ? _display['extension'] : [];

const translationsIn = (coding: FhirObject): readonly FhirObject[] =>
  extensionsOf(coding)
    .filter(isFhirObject)
    .filter(({ url }) => url === TRANSLATION);

function partOf({ extension }: FhirObject, url: string, value: string): string {
  const part = Array.isArray(extension) ? extension.filter(isFhirObject).find((one) => one['url'] === url) : undefined;
  const text = part?.[value];
  return typeof text === 'string' ? text : '';
}

const displayKeyOf = ({ system, code, display }: FhirObject): string => JSON.stringify([system, code, display]);

const keyOf = ({ system, code }: FhirObject, translation: FhirObject): string =>
  JSON.stringify([
    system,
    code,
    translation['url'],
    partOf(translation, 'lang', 'valueCode'),
    partOf(translation, 'content', 'valueString'),
  ]);

/** `pt` of `pt-BR`. */
export const primaryOf = (language: string): string => language.toLowerCase().split('-')[0] ?? '';

/** The same tree with each Coding made anew by `make`. A Quantity has a system and a code too, and a value or unit besides. */
function mapCodings(value: FhirValue, make: (coding: FhirObject) => FhirObject): FhirValue {
  if (Array.isArray(value)) return value.map((one) => mapCodings(one, make));
  if (!isFhirObject(value)) return value;
  const isCoding = typeof value['system'] === 'string' && typeof value['code'] === 'string' && !('value' in value) && !('unit' in value);
  if (isCoding) return make(value);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, name === 'meta' ? one : mapCodings(one, make)]));
}
