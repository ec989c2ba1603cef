import { ucum } from '@atomic-ehr/ucum';

/** Longer units than this are none: the longest of the clinical examples of UCUM has some forty characters. */
const MAX_CHARS = 100;
/** Text in braces says what is counted and changes no unit (UCUM §6); any printable ASCII may stand in it. */
const annotation = /\{[!-z|~]*\}/g;
/** A factor is a positive integer (UCUM §9). */
const zeroFactor = /(?:^|[./(])0+(?:$|[./)])/;

/** Whether a text is a unit of UCUM in its case-sensitive form, such as `mmol/L`, `10*9/L`, `mL/min/{1.73_m2}`, `mm[Hg]`. */
export function isUcum(text: string): boolean {
  if (text === '' || text.length > MAX_CHARS || /[^!-~]/.test(text) || zeroFactor.test(text)) return false;
  try {
    // The library takes letters and digits alone in annotations.
    const { valid } = ucum.validate(text.replace(annotation, '{n}')) as { readonly valid: boolean };
    return valid;
  } catch {
    return false;
  }
}
