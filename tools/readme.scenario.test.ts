// What the README tells a newcomer to type works: its shell snippets are run as they stand, each in a shell of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { snippetsOf } from './markdown.js';
import { root, textOf } from './sources.js';

/** A snippet under `<!-- not run: REASON -->` is one that does not end, needs what only the demonstration has, or runs these tests. */
const notRun = /^not run: \S+/;
const shell = snippetsOf(textOf('README.md')).filter(({ language }) => language === 'sh');
const runnable = shell.filter(({ remark }) => remark === undefined);
const written = join(root, '.portolan/readme');

const clear = (): void => rmSync(written, { recursive: true, force: true });
beforeAll(clear);
afterAll(clear);

describe('a shell snippet of the README', () => {
  it('is run, or says why it is not', () => {
    expect(shell.filter(({ remark }) => remark !== undefined && !notRun.test(remark))).toEqual([]);
    expect(runnable.length).toBeGreaterThanOrEqual(3);
  });

  it('names only files that are there', () => {
    const named = shell.flatMap(({ code }) => [...code.matchAll(/(?:apps|libs|tools)\/\S+/g)].map(([path]) => path));
    expect(named.length).toBeGreaterThanOrEqual(3);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(runnable.map(({ line, code }) => ({ line, code, first: code.split('\n')[0] ?? '' })))('line $line: $first', ({ code }) => {
    const done = spawnSync('bash', ['-euo', 'pipefail', '-c', code], { cwd: root, encoding: 'utf8', timeout: 250_000 });
    expect({ status: done.status, stderr: done.status === 0 ? '' : done.stderr }).toEqual({ status: 0, stderr: '' });
    expect(done.stdout).not.toBe('');
  });
});
