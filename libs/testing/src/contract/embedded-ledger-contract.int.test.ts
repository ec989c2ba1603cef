import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validators } from '@portolan/contracts';
import type { Signer, SigningKeys, Validity } from '@portolan/domain';
import {
  EmbeddedLedger,
  EmbeddedOrderer,
  makeGenesis,
  MemoryLedgerCopyStore,
  MemoryOrdererStore,
  signRegistryAct,
  type FoundingOrganisation,
} from '@portolan/embedded-ledger';
import { ExternalKeySigner, JoseSigner } from '@portolan/jose';
import { FileKeyVault, SystemClock } from '@portolan/keys';
import { Token, TokenSigningKeys } from '@portolan/pkcs11';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { softHsm, SoftToken } from '../stack/pkcs11/soft-token.js';
import { ledgerContract } from './ledger.contract.js';

const clock = new SystemClock();
const validators = new Validators();
const countries = ['EE', 'PT', 'BE', 'DE'] as const;
const days = (from: number, to: number): Validity => ({
  notBefore: new Date(Date.now() + from * 86_400_000).toISOString(),
  notAfter: new Date(Date.now() + to * 86_400_000).toISOString(),
});

interface Organisation {
  readonly keys: SigningKeys;
  readonly signer: Signer;
  readonly kid: string;
  readonly founding: FoundingOrganisation;
}

let folder: string;
let genesis: string;
let orderer: EmbeddedOrderer;
const orgs = new Map<string, Organisation>();
const stores = new Map<string, MemoryLedgerCopyStore>();
const ledgers = new Map<string, EmbeddedLedger>();

/** One country keeps its keys in a token, where this machine can have one: the ledger key and that of its governance. */
const IN_TOKEN = 'PT';
const hsm = await softHsm();
let token: Token | undefined;

async function keysOf(org: string): Promise<Pick<Organisation, 'keys' | 'signer'> & { generate: TokenSigningKeys['generate'] }> {
  if (org !== IN_TOKEN || 'absent' in hsm) {
    const vault = new FileKeyVault({ folder: join(folder, org), clock });
    return { keys: vault, signer: new JoseSigner(vault), generate: (use, validity) => vault.generate(use, validity) };
  }
  const { conf, config } = await SoftToken.create(hsm, join(folder, org));
  vi.stubEnv('SOFTHSM2_CONF', conf);
  token = new Token(config);
  const keys = new TokenSigningKeys(token, { clock });
  return { keys, signer: new ExternalKeySigner(keys), generate: (use, validity) => keys.generate(use, validity) };
}

async function organisation(org: string): Promise<Organisation> {
  const { keys, signer, generate } = await keysOf(org);
  const { kid, publicJwk: jwk, notBefore, notAfter } = await generate('ledger', days(-1, 30));
  const own = await generate('sign', days(-1, 365));
  const sign = (bytes: Uint8Array): Promise<Uint8Array> => keys.sign(own.kid, bytes);
  const governance = { org, jwk: own.publicJwk, sign, ...days(-1, 365) };
  const kind = org === 'REG' ? ('regulator' as const) : ('country' as const);
  return { keys, signer, kid, founding: { kind, governance, keys: [{ use: 'ledger', jwk, notBefore, notAfter }] } };
}

async function open(org: string): Promise<void> {
  const store = stores.get(org) ?? new MemoryLedgerCopyStore();
  stores.set(org, store);
  const { signer } = orgs.get(org)!;
  ledgers.set(org, await EmbeddedLedger.open({ org, genesis, store, orderer: orderer.linkFor(org), signer, clock, validators }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-contract-'));
  for (const org of ['REG', ...countries]) orgs.set(org, await organisation(org));
  const regulator = orgs.get('REG')!;
  const jwk = (await regulator.keys.current('ledger')).publicJwk;
  const organisations = [...orgs.values()].map(({ founding }) => founding);
  const time = new Date().toISOString();
  genesis = await makeGenesis({ channel: 'trial', time, orderer: { org: 'REG', jwk }, organisations, uuid: () => randomUUID() });
  const [store, copy, signer] = [new MemoryOrdererStore(), new MemoryLedgerCopyStore(), regulator.signer];
  orderer = await EmbeddedOrderer.start({ genesis, store, copy, signer, clock, validators });
  for (const org of countries) await open(org);
});
afterAll(async () => {
  await Promise.all([...ledgers.values()].map((ledger) => ledger.close()));
  await orderer.close();
  await token?.close();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const without = 'absent' in hsm ? ` (skipped: ${hsm.absent})` : '';
it.skipIf('absent' in hsm && process.env['CI'] !== 'true')(
  `one country's ledger and governance keys are in a token, in all that follows${without}`,
  () => {
    expect(orgs.get(IN_TOKEN)?.keys).toBeInstanceOf(TokenSigningKeys);
  },
);

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
