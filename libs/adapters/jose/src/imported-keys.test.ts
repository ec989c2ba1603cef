import type { PublicJwk } from '@portolan/contracts';
import { expect, it } from 'vitest';
import { ImportedKeys } from './imported-keys.js';
import { MemoryVault } from './test-support.js';

const vault = new MemoryVault();
const newKey = async (): Promise<PublicJwk> => (await vault.add('sign')).publicJwk;

it('imports a key once for a use, and forgets the ones that were used longest ago', async () => {
  const keys = new ImportedKeys(2);
  const [one, two, three] = [await newKey(), await newKey(), await newKey()];
  const first = await keys.import(one, 'ES256');
  expect(await keys.import({ ...one }, 'ES256')).toBe(first);
  expect(await keys.import(one, 'ECDH-ES')).not.toBe(first);
  expect(await keys.import(one, 'ES256')).toBe(first);
  await keys.import(two, 'ES256');
  expect(await keys.import(one, 'ES256')).toBe(first);
  await keys.import(three, 'ES256');
  await keys.import(two, 'ES256');
  expect(await keys.import(one, 'ES256')).not.toBe(first);
});

it('keeps no key that is none', async () => {
  const keys = new ImportedKeys();
  const jwk = { ...(await newKey()), x: 'A'.repeat(43) };
  for (let i = 0; i < 2; i += 1) await expect(keys.import(jwk, 'ES256')).rejects.toThrow();
});
