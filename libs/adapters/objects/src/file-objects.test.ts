import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileObjects } from './file-objects.js';

let folder: string;
let objects: FileObjects;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-objects-'));
  objects = new FileObjects({ folder, maxBytes: 1000 });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* pieces(...all: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* all;
}
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
const read = async (name: string): Promise<Uint8Array> => new Uint8Array(Buffer.concat(await all(objects.get(name))));
const list = async (prefix = ''): Promise<string[]> => (await all(objects.list(prefix))).sort();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('FileObjects', () => {
  it('gives back what was put, and says its size and hash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 9 }), async (all) => {
        const whole = new Uint8Array(Buffer.concat(all));
        const stored = await objects.put('views/v1/image-1', pieces(...all));
        expect(stored).toEqual({ bytes: whole.length, sha256: createHash('sha256').update(whole).digest('hex') });
        expect(await read('views/v1/image-1')).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps the old object until the new one is whole', async () => {
    await objects.put('a', pieces(bytes('old')));
    const failing = async function* (): AsyncIterable<Uint8Array> {
      yield bytes('ne');
      throw new Error('the source failed');
    };
    await expect(objects.put('a', failing())).rejects.toThrow('the source failed');
    expect(await read('a')).toEqual(bytes('old'));
    expect(await readdir(join(folder, '.halves'))).toEqual([]);
    await objects.put('a', pieces(bytes('new')));
    expect(await read('a')).toEqual(bytes('new'));
  });

  it('takes no more than its limit', async () => {
    await expect(objects.put('a', pieces(new Uint8Array(600), new Uint8Array(401)))).rejects.toMatchObject({ code: 'objects.too-large' });
    expect(await list()).toEqual([]);
    expect((await objects.put('a', pieces(new Uint8Array(600), new Uint8Array(400)))).bytes).toBe(1000);
  });

  it('lists by folder, an object and a folder of one name side by side', async () => {
    for (const name of ['a', 'a/b', 'a/b/c', 'ab', 'd/e']) await objects.put(name, pieces(bytes(name)));
    expect(await list()).toEqual(['a', 'a/b', 'a/b/c', 'ab', 'd/e']);
    expect(await list('a')).toEqual(['a', 'a/b', 'a/b/c']);
    expect(await list('a/b')).toEqual(['a/b', 'a/b/c']);
    expect(await list('none')).toEqual([]);
  });

  it('forgets what is deleted, twice if need be', async () => {
    await objects.put('a/b', pieces(bytes('x')));
    await objects.delete('a/b');
    await objects.delete('a/b');
    await expect(read('a/b')).rejects.toMatchObject({ code: 'objects.unknown', where: 'a/b' });
    expect(await list()).toEqual([]);
  });

  it('has nothing where there is no folder yet', async () => {
    objects = new FileObjects({ folder: join(folder, 'none'), maxBytes: 10 });
    expect(await list()).toEqual([]);
    await objects.removeHalves();
  });

  it('lists nothing half written and clears it away', async () => {
    await objects.put('a', pieces(bytes('x')));
    await writeFile(join(folder, '.halves', 'left-behind'), 'half');
    expect(await list()).toEqual(['a']);
    await objects.removeHalves();
    expect(await readdir(folder)).toEqual(['a.object']);
  });

  it('is read by its owner alone', async () => {
    await objects.put('a/b', pieces(bytes('x')));
    expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'a', 'b.object'))).mode & 0o777).toBe(0o600);
  });

  it.each(['', '..', '../a', '/a', 'a/', 'a//b', 'a/../b', '.halves/a', 'A', 'a.b', 'é', 'a\n', 'a\\b', 'a/b/c/d/e', 'x'.repeat(81)])(
    'refuses the name %j',
    async (name) => {
      const invalid = { code: 'objects.name-invalid' };
      await expect(objects.put(name, pieces())).rejects.toMatchObject(invalid);
      await expect(read(name)).rejects.toMatchObject(invalid);
      await expect(objects.delete(name)).rejects.toMatchObject(invalid);
      if (name !== '') await expect(list(name)).rejects.toMatchObject(invalid);
    },
  );
});
