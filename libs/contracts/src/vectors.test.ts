import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { schemas, type SchemaName } from './generated/schemas.js';
import { Validators } from './validate.js';

const vectors = new URL('../vectors/', import.meta.url);
const validators = new Validators();
const list = (folder: string): string[] => readdirSync(new URL(folder, vectors)).sort();

/** [schema, file] of each vector of a kind. */
const casesOf = (kind: 'valid' | 'invalid'): [SchemaName, string][] =>
  list(`${kind}/`).flatMap((name) => list(`${kind}/${name}/`).map((file): [SchemaName, string] => [name as SchemaName, file]));
const mistakeIn = (kind: string, name: SchemaName, file: string): string | undefined =>
  validators.mistake(name, JSON.parse(readFileSync(new URL(`${kind}/${name}/${file}`, vectors), 'utf8')));

describe('vectors', () => {
  it('stand under the names of schemas', () => {
    for (const name of [...list('valid/'), ...list('invalid/')]) expect(Object.keys(schemas)).toContain(name);
  });
  it('come in both kinds for a schema', () => expect(list('invalid/')).toEqual(list('valid/')));
  it.each(casesOf('valid'))('%s is fitted by %s', (name, file) => expect(mistakeIn('valid', name, file)).toBeUndefined());
  it.each(casesOf('invalid'))('%s refuses %s', (name, file) => expect(mistakeIn('invalid', name, file)).toBeDefined());
});
