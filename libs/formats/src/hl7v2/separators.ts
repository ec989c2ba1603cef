/** The delimiters that a message declares in MSH-1 and MSH-2 (HL7 v2.8 §2.5.4). */
export interface Separators {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
}

export const recommendedSeparators: Separators = { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };

/** Reads the delimiters from the beginning of a message, or undefined where they are not five different signs. */
export function readSeparators(text: string): Separators | undefined {
  const field = text.charAt(3);
  const end = text.slice(4, 12).search(/[\r\n]/);
  const encoding = text.slice(4, end < 0 ? 12 : 4 + end).split(field)[0] ?? '';
  const [component = '', repetition = '', escape = '', subcomponent = ''] = encoding;
  const signs = [field, component, repetition, escape, subcomponent];
  // v2.7 adds a truncation character as fifth encoding character; before v2.3 the last ones may be left out.
  if (encoding.length < 4 || encoding.length > 5 || new Set(signs).size < 5) return undefined;
  return signs.some((sign) => /[\p{L}\p{N}\s]/u.test(sign)) ? undefined : { field, component, repetition, escape, subcomponent };
}
