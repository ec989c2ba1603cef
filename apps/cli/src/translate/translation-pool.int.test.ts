// Threads load the built command: npm test builds first.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runHere } from '../test-support/run-here.js';
import { TranslationPool } from './translation-pool.js';

const messages = fileURLToPath(new URL('../../../../libs/formats/fixtures/hl7v2/', import.meta.url));
const files = readdirSync(messages)
  .filter((name) => name.endsWith('.hl7'))
  .map((name) => join(messages, name));

let work: string;
beforeEach(() => (work = mkdtempSync(join(tmpdir(), 'portolan-pool-'))));
afterEach(() => rmSync(work, { recursive: true, force: true }));

/** What is told of a run over these and a file that is not there, whose results go to `folder`. */
async function failing(folder: string, ...args: string[]): Promise<string> {
  const { exit, out, notes } = await runHere(['translate', '--country', 'EE', '--out', folder, ...args, '/nonexistent/file'], {
    folder: work,
  });
  expect(exit).toBe(1);
  return `${out}\n${notes}`.replaceAll(folder, 'OUT');
}

it('gives the same results in the same order as one thread', async () => {
  const run = (folder: string, ...jobs: string[]): Promise<string> => failing(folder, ...jobs, ...files);
  const [alone, several] = [join(work, 'alone'), join(work, 'several')];
  expect(await run(several, '--jobs', '3')).toBe(await run(alone));
  const results = readdirSync(alone);
  expect(results).toHaveLength(2 * files.length);
  expect(readdirSync(several)).toEqual(results);
  for (const name of results) expect(readFileSync(join(several, name), 'utf8')).toBe(readFileSync(join(alone, name), 'utf8'));
});

it.each(['hl7v2', 'cda'])('writes back to %s in several threads what one writes, and fails of the same', async (to) => {
  const fhir = join(work, 'fhir');
  await runHere(['translate', '--country', 'EE', '--out', fhir, ...files.slice(0, 12)], { folder: work });
  writeFileSync(join(fhir, 'none.fhir.json'), '[]');
  const bundles = readdirSync(fhir).filter((name) => name.endsWith('.fhir.json'));
  expect(bundles).toHaveLength(13);
  const run = (folder: string, ...jobs: string[]): Promise<string> =>
    failing(folder, '--to', to, ...jobs, ...bundles.map((name) => join(fhir, name)));
  const [alone, several] = [join(work, 'alone'), join(work, 'several')];
  expect(await run(several, '--jobs', '3')).toBe(await run(alone));
  const results = readdirSync(alone);
  expect(results.length).toBeGreaterThan(2);
  expect(readdirSync(several)).toEqual(results);
  // The moment of writing stands in the document itself; the account has none.
  const accounts = results.filter((name) => name.endsWith('.report.json'));
  for (const name of accounts) expect(readFileSync(join(several, name), 'utf8')).toBe(readFileSync(join(alone, name), 'utf8'));
});

it('loses only the documents of a thread that ends', async () => {
  const pool = new TranslationPool(1, { flags: { format: 'auto' }, folder: work });
  const document = (bytes: unknown): Parameters<TranslationPool['run']>[0] => ({
    part: { place: 'document', suffix: '', bytes: bytes as Uint8Array },
    path: 'file',
    base: join(work, 'file'),
  });
  try {
    await expect(pool.run(document(undefined))).rejects.toMatchObject({ code: 'cli.thread-ended' });
    await expect(pool.run(document(readFileSync(files[0] ?? '')))).resolves.toMatchObject({ refused: false });
  } finally {
    await pool.close();
  }
});
