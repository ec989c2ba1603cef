/** The delimiters that a message declares in MSH-1 and MSH-2 (HL7 v2.8 §2.5.4). */
export interface Separators {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
  /** What stands at the end of a text that was cut off (v2.7), where the message names one. */
  readonly truncation?: string;
}

export const recommendedSeparators: Separators = { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };

/** Reads the delimiters from the beginning of a message, or undefined where they are not five different signs. */
export function readSeparators(text: string): Separators | undefined {
  const field = text.charAt(3);
  const line = text
    .slice(4, 12)
    .split(/[\r\n]/, 1)
    .join('');
  const encoding = line.split(field, 1).join('');
  // v2.7 adds a truncation character as fifth encoding character.
  if (!/^.{4,5}$/su.test(encoding) || /[\p{L}\p{N}\s]/u.test(field + encoding)) return undefined;
  const [component = '', repetition = '', escape = '', subcomponent = '', truncation] = Array.from(encoding);
  const separators = { field, component, repetition, escape, subcomponent };
  const signs = new Set(Object.values(separators));
  if (signs.size < 5) return undefined;
  return truncation === undefined || signs.has(truncation) ? separators : { ...separators, truncation };
}
