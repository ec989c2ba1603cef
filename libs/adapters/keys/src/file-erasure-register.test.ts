import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePersonId } from '@portolan/domain';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileErasureRegister } from './file-erasure-register.js';

const [mari, jaan] = ['3c0f3b3e-0000-4000-8000-000000000001', '3c0f3b3e-0000-4000-8000-000000000002'].map(ensurePersonId) as [never, never];
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-erasures-'));
  file = join(folder, 'edge', 'erasures.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('names whom it was told of, also from another process, for its owner alone', async () => {
  const register = new FileErasureRegister(file);
  expect(await register.all()).toEqual([]);
  await register.note(mari);
  await register.note(jaan);
  expect(await new FileErasureRegister(file).all()).toEqual([mari, jaan]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('goes on after a line that was cut off', async () => {
  const register = new FileErasureRegister(file);
  await register.note(mari);
  await appendFile(file, '\n{"person":"3c0f3b3e-00');
  expect(await register.all()).toEqual([mari]);
  await register.note(jaan);
  expect(await register.all()).toEqual([mari, jaan]);
});

it('refuses a register that somebody altered', async () => {
  const register = new FileErasureRegister(file);
  await register.note(mari);
  await appendFile(file, '{"person":"somebody"}\n');
  await expect(register.all()).rejects.toThrow('keys.file-invalid');
});
