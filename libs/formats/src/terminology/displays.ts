import type { CodeSystem, Designation } from './code-system.js';
import { freeSnomed, hl7Systems } from './shipped.js';

/** What a code is called, and in which language (BCP 47). */
export interface Wording {
  readonly text: string;
  readonly language: string;
}

/** What codes are called, in every language that the code systems and supplements of a country say. */
export class Displays {
  private constructor(private readonly bySystem: ReadonlyMap<string, ReadonlyMap<string, readonly Designation[]>>) {}

  /** Of several systems that say the same code's name in one language, the first is taken. */
  static of(systems: Iterable<CodeSystem>): Displays {
    const bySystem = new Map<string, Map<string, Designation[]>>();
    for (const { system, language, concepts } of systems) {
      const codes = bySystem.get(system) ?? new Map<string, Designation[]>();
      bySystem.set(system, codes);
      for (const { code, display, designations } of concepts.values()) {
        const own = display === undefined || language === undefined ? [] : [{ language, value: display }];
        const all = [...(codes.get(code) ?? []), ...designations, ...own];
        if (all.length > 0) codes.set(code, all);
      }
    }
    return new Displays(bySystem);
  }

  /** The wording in the first of the reader's languages that there is one in; undefined where there is none, and the source's own stands. */
  wording(system: string, code: string, languages: readonly string[]): Wording | undefined {
    const all = this.bySystem.get(system)?.get(code);
    if (all === undefined) return undefined;
    for (const wanted of languages) {
      const found = inLanguage(all, wanted);
      if (found !== undefined) return { text: found.value, language: found.language };
    }
    return undefined;
  }

  /** What a code whose source gave it no display is called by its own system, in English; undefined where that is not at hand. */
  named(system: string, code: string): Wording | undefined {
    const own = this.wording(system, code, ['en']);
    if (own !== undefined) return own;
    const text = shippedSystem(system)?.concepts.get(code)?.display;
    return text === undefined ? undefined : { text, language: 'en' };
  }
}

const shippedSystem = (system: string): CodeSystem | undefined => (system === freeSnomed.system ? freeSnomed : hl7Systems.get(system));

/**
 * Look-up of RFC 4647 (§3.4): `pt-PT`, then `pt`. Then any other variety of the language: a reader of `pt` is served by what there is in
 * `pt-BR`, as publishers name their translations by country.
 */
function inLanguage(all: readonly Designation[], wanted: string): Designation | undefined {
  const parts = wanted.toLowerCase().split('-');
  for (let n = parts.length; n > 0; n -= 1) {
    const range = parts.slice(0, n).join('-');
    const found = all.find(({ language }) => language.toLowerCase() === range);
    if (found !== undefined) return found;
  }
  return all.find(({ language }) => language.toLowerCase().startsWith(`${parts[0] ?? ''}-`));
}
