import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepConfig } from '../test-support/node-config.js';
import { runHere, type Outcome } from '../test-support/run-here.js';

// Tokens and statements that real nodes take: cli.scenario.test.ts.
let work: string;
beforeEach(() => (work = mkdtempSync(join(tmpdir(), 'portolan-token-'))));
afterEach(() => rmSync(work, { recursive: true, force: true }));
const run = (...args: string[]): Promise<Outcome> => runHere([...args, '--folder', work]);
const failed = (code: string): unknown => ({ exit: 1, out: '', notes: expect.stringContaining(code) });

describe('outside of demo mode nobody is logged in by a command', () => {
  it.each([
    ['a person', ['token', '--as', 'mari@EE']],
    ['a hospital', ['token', '--system', 'ee']],
    ['a statement of who acts', ['acting', '--as', 'doctor-ee@EE']],
  ])('%s', async (_, args) => {
    await keepConfig(join(work, 'ee'), { mode: 'production' });
    expect(await run(...args)).toEqual(failed('cli.demo-only'));
  });
  it('an operator, who gives a token', async () => {
    await keepConfig(join(work, 'ee'), { mode: 'production' });
    expect(await run('replay', '--country', 'EE', '--list')).toEqual(failed('cli.token-missing'));
    expect(await run('replay', '--country', 'EE', '--list', '--token', 'x')).toEqual(failed('cli.node-unreachable'));
  });
});

describe('in demo mode', () => {
  it('a provider that is not up is told', async () => {
    await keepConfig(join(work, 'ee'));
    expect(await run('token', '--as', 'mari@EE')).toEqual(failed('auth.provider-unreachable'));
  });
  it('a hospital without its key gets no other one', async () => {
    await keepConfig(join(work, 'ee'));
    mkdirSync(join(work, 'ee/demo'));
    for (const args of [
      ['token', '--system', 'EE'],
      ['acting', '--as', 'doctor-ee@EE'],
    ])
      expect(await run(...args)).toEqual(failed('cli.demo-incomplete'));
    expect(readdirSync(join(work, 'ee/demo'))).toEqual([]);
  });
});
