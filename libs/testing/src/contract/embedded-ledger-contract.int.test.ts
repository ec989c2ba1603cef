import { generateKeyPairSync, randomUUID, sign as signWith } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validators } from '@portolan/contracts';
import type { Validity } from '@portolan/domain';
import {
  EmbeddedLedger,
  EmbeddedOrderer,
  makeGenesis,
  MemoryLedgerCopyStore,
  MemoryOrdererStore,
  signRegistryAct,
  type FoundingOrganisation,
  type Governance,
} from '@portolan/embedded-ledger';
import { JoseSigner } from '@portolan/jose';
import { FileKeyVault, SystemClock } from '@portolan/keys';
import { afterAll, beforeAll } from 'vitest';
import { ledgerContract } from './ledger.contract.js';

const clock = new SystemClock();
const validators = new Validators();
const countries = ['EE', 'PT', 'BE', 'DE'] as const;
const days = (from: number, to: number): Validity => ({
  notBefore: new Date(Date.now() + from * 86_400_000).toISOString(),
  notAfter: new Date(Date.now() + to * 86_400_000).toISOString(),
});

interface Organisation {
  readonly vault: FileKeyVault;
  readonly kid: string;
  readonly founding: FoundingOrganisation;
}

let folder: string;
let genesis: string;
let orderer: EmbeddedOrderer;
const orgs = new Map<string, Organisation>();
const stores = new Map<string, MemoryLedgerCopyStore>();
const ledgers = new Map<string, EmbeddedLedger>();

async function organisation(org: string): Promise<Organisation> {
  const vault = new FileKeyVault({ folder: join(folder, org), clock });
  const { kid, publicJwk: jwk, notBefore, notAfter } = await vault.generate('ledger', days(-1, 30));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sign = (bytes: Uint8Array): Promise<Uint8Array> =>
    Promise.resolve(signWith('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' }) as Governance['jwk'];
  const governance = { org, jwk: { kty, crv, x, y }, sign, ...days(-1, 365) };
  const kind = org === 'REG' ? ('regulator' as const) : ('country' as const);
  return { vault, kid, founding: { kind, governance, keys: [{ use: 'ledger', jwk, notBefore, notAfter }] } };
}

async function open(org: string): Promise<void> {
  const store = stores.get(org) ?? new MemoryLedgerCopyStore();
  stores.set(org, store);
  const signer = new JoseSigner(orgs.get(org)!.vault);
  ledgers.set(org, await EmbeddedLedger.open({ org, genesis, store, orderer: orderer.linkFor(org), signer, clock, validators }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-contract-'));
  for (const org of ['REG', ...countries]) orgs.set(org, await organisation(org));
  const regulator = orgs.get('REG')!;
  const jwk = (await regulator.vault.current('ledger')).publicJwk;
  const organisations = [...orgs.values()].map(({ founding }) => founding);
  const time = new Date().toISOString();
  genesis = await makeGenesis({ channel: 'trial', time, orderer: { org: 'REG', jwk }, organisations, uuid: () => randomUUID() });
  const [store, copy, signer] = [new MemoryOrdererStore(), new MemoryLedgerCopyStore(), new JoseSigner(regulator.vault)];
  orderer = await EmbeddedOrderer.start({ genesis, store, copy, signer, clock, validators });
  for (const org of countries) await open(org);
});
afterAll(async () => {
  await Promise.all([...ledgers.values()].map((ledger) => ledger.close()));
  await orderer.close();
  await rm(folder, { recursive: true });
});

ledgerContract('the embedded ledger', () => ({
  countries,
  patienceMs: 20_000,
  at: (org) => ledgers.get(org)!,
  reopen: async (org) => {
    await ledgers.get(org)!.close();
    await open(org);
  },
  endLedgerKey: async (org) => {
    const { kid, founding } = orgs.get(org)!;
    const id = randomUUID();
    const args = { v: 1, org, kid };
    await ledgers
      .get(org)!
      .submitSigned(await signRegistryAct({ id, fn: 'end-key', args }, founding.governance, 'trial', new Date().toISOString()));
  },
}));
