import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keep } from './files.js';

it('is whole, whoever else writes the same file at the same time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-files-'));
  const file = join(folder, 'below', 'file');
  await Promise.all(Array.from({ length: 50 }, (_, i) => keep(file, `text ${i}`)));
  expect(await readFile(file, 'utf8')).toMatch(/^text \d+$/);
  expect(await readdir(join(folder, 'below'))).toEqual(['file']);
  await rm(folder, { recursive: true });
});
