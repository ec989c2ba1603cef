// What ARCHITECTURE.md lists is what the code has: packages, rows of the pipeline, messages between roles, tables, invariants.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pathsOf } from './markdown.js';
import { projectFiles, root, textOf } from './sources.js';

const text = textOf('ARCHITECTURE.md');
const section = (title: string): string => text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
const codeIn = (markdown: string): string[] => [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);

describe('the code map', () => {
  const folders = ['libs', 'libs/adapters', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'adapters')
      .map(({ name }) => `${parent}/${name}`),
  );

  it('names every package', () => expect(folders.filter((folder) => !codeIn(section('Code map')).includes(folder))).toEqual([]));

  // A test that took a path apart into letters once left keys in folders of one letter each, and they were committed.
  it('has no folder at the top that is not of the house', () => {
    const tops = projectFiles(/\//).map((file) => file.split('/')[0] ?? '');
    expect([...new Set(tops)].sort()).toEqual(['.ci', 'apps', 'deploy', 'docker', 'docs', 'helm', 'libs', 'tools']);
  });
  it('has no secret among its files', () => {
    const secrets = projectFiles(/(^|\/)(current|.*\.(master|p12|pfx))$/).filter((file) => !file.includes('/test-files/'));
    expect(secrets).toEqual([]);
  });
});

describe('the table of the pipeline', () => {
  const form = /step: '([^']+)',\s*role: '[^']+',\s*side: '([^']+)',\s*from: '([^']+)',\s*to: \[([^\]]*)\]/g;
  const rows = projectFiles(/^libs\/domain\/src\/.*\.row\.ts$/).flatMap((file) =>
    [...textOf(file).matchAll(form)].map(([, step = '', side = '', from = '', to = '']) => ({
      step,
      said: [side, from, ...[...to.matchAll(/'([^']+)'/g)].map(([, state = '']) => state)],
    })),
  );
  /** The lines of a step: its own, and those below that leave the first cell empty. */
  const linesOf = (step: string): string => {
    const lines = section('The flow').split('\n');
    const first = lines.findIndex((line) => new RegExp(`^\\| ${step} +\\|`).test(line));
    if (first < 0) return '';
    const next = lines.findIndex((line, i) => i > first && !/^\| +\|/.test(line));
    return lines.slice(first, next).join('\n');
  };

  it('is read from the rows', () => expect(rows.length).toBeGreaterThanOrEqual(11));
  it.each(rows)('says of $step its side, where it begins and where it leads', ({ step, said }) => {
    expect(said.filter((word) => !linesOf(step).includes(word))).toEqual([]);
  });
});

describe('the messages between roles', () => {
  const receivers = textOf('libs/domain/src/messages/role-messages.ts').split('export const receivers')[1] ?? '';
  const types = [...receivers.matchAll(/'([^']+)': '(edge|exchange|notary)'/g)].map(([, type = '', to = '']) => ({ type, to }));
  const lines = section('Messages between roles').split('\n');

  it('are read from the code', () => expect(types.length).toBeGreaterThan(20));
  it('stand in the line of the role that handles them', () => {
    const said = ({ type, to }: { type: string; to: string }): boolean =>
      lines.some((line) => new RegExp(`^\\| ${to} +\\|`).test(line) && codeIn(line).includes(type));
    expect(types.filter((one) => !said(one))).toEqual([]);
  });
  it('are no others', () => {
    const listed = lines.filter((line) => /^\| (edge|exchange|notary) /.test(line)).flatMap(codeIn);
    expect(listed.filter((code) => !types.some(({ type }) => type === code))).toEqual([]);
  });
});

describe('the tables of the databases', () => {
  const grants = textOf('libs/adapters/postgres/src/provision/grants.ts');
  const tables = [...grants.matchAll(/\b([a-z_]+): (?:READ|APPEND|KEEP|FREE|\[)/g)].map(([, table = '']) => table);
  const said = codeIn(section('Databases'));

  it('are read from the grants', () => expect(tables.length).toBeGreaterThan(40));
  it('are listed', () => {
    const listed = (table: string): boolean =>
      said.some((code) => code === table || (code.endsWith('_*') && table.startsWith(code.slice(0, -1))));
    expect(tables.filter((table) => !listed(table))).toEqual([]);
  });
});

describe('the invariants', () => {
  const rows = [...section('Invariants').matchAll(/^\| (\d+) +\|(.*)$/gm)].map(([, number = '', rest = '']) => ({ number, rest }));

  it('are fourteen', () => expect(rows.map(({ number }) => Number(number))).toEqual(Array.from({ length: 14 }, (_, i) => i + 1)));
  it.each(rows)('invariant $number names where it is kept and a test that tries to break it', ({ rest }) => {
    const [, keeps = '', tries = ''] = rest.split('|');
    expect(codeIn(keeps).length).toBeGreaterThan(0);
    expect(pathsOf(tries).some(({ target }) => /\.test\.ts$|\/testing\//.test(target))).toBe(true);
  });
});
