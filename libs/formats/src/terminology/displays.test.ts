import { describe, expect, it } from 'vitest';
import { CodeSystem } from './code-system.js';
import { Displays } from './displays.js';

const named = (more: object, ...designation: (readonly [string, string])[]): CodeSystem =>
  CodeSystem.read({
    resourceType: 'CodeSystem',
    url: 'urn:s',
    content: 'complete',
    ...more,
    concept: [{ code: 'a', display: 'Own', designation: designation.map(([language, value]) => ({ language, value })) }],
  });
const wording = (languages: readonly string[], ...systems: CodeSystem[]): string | undefined =>
  Displays.of(systems).wording('urn:s', 'a', languages)?.text;

describe('what a code is called', () => {
  it.each<[string, readonly string[], CodeSystem[], string | undefined]>([
    ['in the reader’s language', ['et', 'en'], [named({}, ['en', 'E'], ['et', 'Ö'])], 'Ö'],
    ['in her next one, where there is none', ['et', 'en'], [named({}, ['en', 'E'], ['de', 'D'])], 'E'],
    ['in no language of hers', ['et', 'en'], [named({}, ['de', 'D'])], undefined],
    ['in her country’s variety before another', ['pt-PT'], [named({}, ['pt-BR', 'B'], ['pt', 'P'], ['pt-PT', 'PP'])], 'PP'],
    ['in the language as such before another variety', ['pt-PT'], [named({}, ['pt-BR', 'B'], ['pt', 'P'])], 'P'],
    ['in another variety rather than not', ['pt', 'en'], [named({}, ['en', 'E'], ['PT-br', 'B'])], 'B'],
    ['and not in a language that only begins alike', ['p'], [named({}, ['pt', 'P'])], undefined],
    ['by its system’s display, where that says its language', ['en'], [named({ language: 'en' })], 'Own'],
    ['and not by one of no known language', ['en'], [named({})], undefined],
    [
      'by a supplement before the system itself',
      ['en'],
      [named({ url: 'urn:more', content: 'supplement', supplements: 'urn:s|2' }, ['en', 'S']), named({ language: 'en' })],
      'S',
    ],
  ])('%s', (_name, languages, systems, text) => expect(wording(languages, ...systems)).toBe(text));
  it('is known by system', () => expect(Displays.of([named({ language: 'en' })]).wording('urn:t', 'a', ['en'])).toBeUndefined());
});
