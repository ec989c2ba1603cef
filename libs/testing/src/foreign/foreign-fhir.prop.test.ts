import { PortolanError } from '@portolan/contracts';
import { formats } from '@portolan/formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, foreignFile, foreignNames, sha256, translated } from './foreign.fixture.js';

const FUZZ_MS = 4_000;
const texts = foreignNames.map((name) => new TextDecoder().decode(foreignFile(name)));

/** Reads and checks what is true of every translation; a document that cannot be read says so by a code of the registry. */
function survives(bytes: Uint8Array): void {
  let translation;
  try {
    translation = translated(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(PortolanError);
    expect((error as PortolanError).code).toMatch(/^ingest\./);
    return;
  }
  const { account, resources } = translation;
  const told = new Set([...account.mapped, ...account.carried, ...account.ignored].map(({ path }) => path));
  const root = formats.find(({ name }) => name === 'fhir')?.read(bytes, { maxBytes: 2_000_000, sha256 }).root;
  expect(root?.leaves().filter(({ path, value }) => value !== '' && !told.has(path))).toEqual([]);
  const own = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${id}`));
  expect(own.size).toBe(resources.length);
  const open = [...JSON.stringify(resources).matchAll(/"reference":"([^"#\\][^"]*)"/g)].filter(([, reference = '']) => !own.has(reference));
  expect(open).toEqual([]);
}

describe('foreign FHIR that somebody has broken', () => {
  it('of mutated bytes: a code or a whole account, never a crash', { timeout: 60_000 }, () => {
    const mutation = fc.record({
      text: fc.constantFrom(...texts),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat({ max: 40 }),
      put: fc.constantFrom(
        '',
        '{',
        '}',
        '[',
        ']',
        '"',
        ',',
        'null',
        '1e999',
        '"\\ud800"',
        '\\u0000',
        '"id":"x",',
        '{"reference":"#"}',
        '"__proto__":{},',
      ),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), ([first, ...more]) => {
        let text = first?.text ?? '';
        for (const { at, cut, put } of [first, ...more].filter((one) => one !== undefined)) {
          const start = Math.floor(at * text.length);
          text = text.slice(0, start) + put + text.slice(start + cut);
        }
        survives(new TextEncoder().encode(text));
      }),
      { interruptAfterTimeLimit: FUZZ_MS, numRuns: 100_000 },
    );
  });

  it('of any JSON in the place of any value', { timeout: 60_000 }, () => {
    const trees = texts.map((text) => JSON.parse(text) as unknown);
    const places = trees.flatMap((tree, i) => pathsOf(tree).map((path) => ({ i, path })));
    const odd = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('', '#', 'Patient/p1', 'urn:uuid:', 'Bundle', {}, [], [null]));
    fc.assert(
      fc.property(fc.constantFrom(...places), odd, ({ i, path }, value) => survives(bytesOf(replaced(trees[i], path, value)))),
      { interruptAfterTimeLimit: FUZZ_MS, numRuns: 100_000 },
    );
  });

  it('in any order of its entries gives the same resources', () => {
    const document = JSON.parse(texts[foreignNames.indexOf('ee-ips-document.json')] ?? '') as { entry: unknown[] };
    const [composition, ...rest] = document.entry;
    const ids = (entry: unknown[]): string[] =>
      translated(bytesOf({ ...document, entry }))
        .resources.map((one) => JSON.stringify(one))
        .toSorted();
    const expected = ids(document.entry);
    fc.assert(
      fc.property(fc.shuffledSubarray(rest, { minLength: rest.length }), (shuffled) => {
        expect(ids([composition, ...shuffled])).toEqual(expected);
      }),
      { numRuns: 10 },
    );
  });
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, one]) => pathsOf(one, [...at, Array.isArray(value) ? Number(name) : name]))];
}

function replaced(tree: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(tree)) return tree.map((one, i) => (i === step ? replaced(one, rest, value) : (one as unknown)));
  return { ...(tree as object), [step]: replaced((tree as Record<string, unknown>)[step], rest, value) };
}
