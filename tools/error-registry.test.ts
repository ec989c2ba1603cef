// Registry, code and docs say the same: every code that is told stands in the registry, and every registered one is told.
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFiles, textOf } from './sources.js';

const registry = projectFiles(/^libs\/contracts\/errors\/.*\.json$/).flatMap((file) =>
  Object.keys(JSON.parse(textOf(file)) as object).map((code) => ({ code, area: basename(file, '.json') })),
);
const registered = new Set(registry.map(({ code }) => code));
const sources = projectFiles(/^(?:apps|libs)\/.*\.ts$/)
  .filter((file) => !/\/generated\/|\.test\.ts$/.test(file))
  .map((file) => ({ file, text: textOf(file) }));

/** Where a source tells a code: an error thrown, a failure logged, a refusal by a rule, and the code that stands in for an unknown error. */
const telling = [
  /new PortolanError\(\s*'([^']*)'/g,
  /\.failure\((?:[^()]|\([^()]*\))*?'([a-z0-9]+\.[a-z0-9-]+)'/g,
  /\brefusal\(\s*'([^']*)'/g,
  /\.code(?:\s*\?\?|\s*:)\s*'([^']*)'/g,
  /\bcode: '([^']*\.[^']*)'/g,
];
const told = sources.flatMap(({ file, text }) =>
  telling.flatMap((form) => [...text.matchAll(form)].map(([, code = '']) => ({ file, code }))),
);

describe('the error registry', () => {
  it('holds no code that no source tells', () => {
    expect(registry.filter(({ code }) => !sources.some(({ text }) => text.includes(`'${code}'`)))).toEqual([]);
  });

  it('names each code after its area', () => {
    expect(registry.filter(({ code, area }) => !code.startsWith(`${area}.`))).toEqual([]);
  });

  it('is what docs/errors.md lists', () => {
    const listed = [...textOf('docs/errors.md').matchAll(/^\| `([^`]+)`/gm)].map(([, code]) => code);
    expect(listed.sort()).toEqual([...registered].sort());
  });
});

describe('a code that a source tells', () => {
  it('is looked for in the forms that sources use', () => expect(told.length).toBeGreaterThan(150));

  it('stands in the registry', () => {
    expect(told.filter(({ code }) => !registered.has(code))).toEqual([]);
  });
});
