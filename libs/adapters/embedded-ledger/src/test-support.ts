import { PortolanError, Validators, type CompactJws, type PublicJwk } from '@portolan/contracts';
import { Clock, Signer } from '@portolan/domain';
import { signJws, thumbprint, type JwsKind } from '@portolan/verify';
import { randomUUID, webcrypto } from 'node:crypto';
import {
  makeGenesis,
  signRegistryAct,
  type FoundingOrganisation,
  type Governance,
  type RegistryAct,
  type SignBytes,
} from './chain/make-genesis.js';
import type { OrdererLink } from './chain/orderer-link.js';
import { sha256 } from './chain/tools.js';
import { MemoryLedgerCopyStore, MemoryOrdererStore } from './copy/memory-stores.js';
import { EmbeddedOrderer } from './orderer/embedded-orderer.js';
import { EmbeddedLedger, type EmbeddedLedgerOptions } from './peer/embedded-ledger.js';

/** A P-256 pair that a test holds. */
export interface Pair {
  readonly jwk: PublicJwk;
  readonly kid: string;
  readonly sign: SignBytes;
}

export async function newPair(): Promise<Pair> {
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y } = (await webcrypto.subtle.exportKey('jwk', publicKey)) as PublicJwk;
  const jwk = { kty, crv, x, y };
  const sign: SignBytes = async (bytes) =>
    new Uint8Array(await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, bytes));
  return { jwk, kid: thumbprint(jwk, sha256), sign };
}

/** A clock that a test sets forward. */
export class TestClock extends Clock {
  ahead = 0;
  now(): number {
    return Date.now() + this.ahead;
  }
  in(ms: number): string {
    return new Date(this.now() + ms).toISOString();
  }
}

/** Signs with one pair; `pair` can be changed, as a rotation does. */
export class PairSigner extends Signer {
  constructor(public pair: Pair) {
    super();
  }
  async sign(_use: 'sign' | 'ledger', typ: string, payload: string): Promise<CompactJws> {
    return signJws(typ.slice('portolan-'.length, -'+jws'.length) as JwsKind, this.pair.kid, payload, this.pair.sign);
  }
  verify(): Promise<string> {
    return Promise.reject(new Error('the ledger verifies by libs/verify'));
  }
}

export interface TestOrg {
  readonly org: string;
  readonly founding: FoundingOrganisation;
  readonly governance: Pair;
  readonly ledger: Pair;
  readonly tls: Pair;
}

const day = 86_400_000;

export async function newOrg(org: string, kind: 'country' | 'regulator', clock: TestClock): Promise<TestOrg> {
  const [governance, ledger, tls] = [await newPair(), await newPair(), await newPair()];
  const validity = { notBefore: clock.in(-day), notAfter: clock.in(365 * day) };
  const keys = [
    { use: 'ledger' as const, jwk: ledger.jwk, ...validity },
    { use: 'tls' as const, jwk: tls.jwk, ...validity },
  ];
  return { org, governance, ledger, tls, founding: { kind, governance: { org, ...governance, ...validity }, keys } };
}

/** A channel with a regulator that orders and some countries, over stores in memory. Everything can be stopped, restarted and altered. */
export class TestChannel {
  static readonly validators = new Validators();
  readonly ordererStore = new MemoryOrdererStore();
  readonly ordererCopy = new MemoryLedgerCopyStore();
  readonly stores = new Map<string, MemoryLedgerCopyStore>();
  readonly troubles: unknown[] = [];
  readonly diverging: { org: string; block: number; seenBy: string }[] = [];
  private readonly ledgers: EmbeddedLedger[] = [];
  orderer: EmbeddedOrderer | undefined;

  private constructor(
    readonly clock: TestClock,
    readonly genesis: string,
    readonly regulator: TestOrg,
    readonly countries: readonly TestOrg[],
  ) {}

  static async make(countries: readonly string[] = ['EE', 'PT', 'BE', 'DE']): Promise<TestChannel> {
    const clock = new TestClock();
    const regulator = await newOrg('REG', 'regulator', clock);
    const orgs = await Promise.all(countries.map((org) => newOrg(org, 'country', clock)));
    const genesis = await makeGenesis({
      channel: 'trial',
      time: clock.in(0),
      orderer: { org: 'REG', jwk: regulator.ledger.jwk },
      organisations: [regulator, ...orgs].map(({ founding }) => founding),
      uuid: () => randomUUID(),
    });
    return new TestChannel(clock, genesis, regulator, orgs);
  }

  org(name: string): TestOrg {
    const found = [this.regulator, ...this.countries].find(({ org }) => org === name);
    if (found === undefined) throw new Error(`no organisation ${name} in this test`);
    return found;
  }

  async startOrderer(): Promise<EmbeddedOrderer> {
    this.orderer = await EmbeddedOrderer.start({
      genesis: this.genesis,
      store: this.ordererStore,
      copy: this.ordererCopy,
      signer: new PairSigner(this.regulator.ledger),
      clock: this.clock,
      validators: TestChannel.validators,
      cutAfterMs: 30,
      onTrouble: (error) => this.troubles.push(error),
    });
    return this.orderer;
  }

  /** A link that finds whichever orderer runs now, as an address does; none: unreachable as a closed port is. */
  linkFor(org: string): OrdererLink {
    const now = (): OrdererLink => {
      if (this.orderer === undefined) throw unreachable();
      return this.orderer.linkFor(org);
    };
    return {
      submit: async (jws) => now().submit(jws),
      attest: async (attestations) => now().attest(attestations),
      blocks: async (from, waitMs, until) => now().blocks(from, Math.min(waitMs, 500), until),
      attestations: async (after, waitMs, until) => now().attestations(after, Math.min(waitMs, 500), until),
    };
  }

  async open(org: string, more: Partial<EmbeddedLedgerOptions> = {}): Promise<EmbeddedLedger> {
    const store = this.stores.get(org) ?? new MemoryLedgerCopyStore();
    this.stores.set(org, store);
    const ledger = await EmbeddedLedger.open({
      org,
      genesis: this.genesis,
      store,
      orderer: this.linkFor(org),
      signer: new PairSigner(this.org(org).ledger),
      clock: this.clock,
      validators: TestChannel.validators,
      onTrouble: (error) => this.troubles.push(error),
      onDivergence: (statement) => this.diverging.push({ ...statement, seenBy: org }),
      ...more,
    });
    this.ledgers.push(ledger);
    return ledger;
  }

  /** Orderer and a copy for each country. */
  async openAll(): Promise<Map<string, EmbeddedLedger>> {
    await this.startOrderer();
    const all = new Map<string, EmbeddedLedger>();
    for (const { org } of this.countries) all.set(org, await this.open(org));
    return all;
  }

  async stopOrderer(): Promise<void> {
    const orderer = this.orderer;
    this.orderer = undefined;
    await orderer?.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.ledgers.map((ledger) => ledger.close()));
    await this.stopOrderer();
  }

  governanceOf(org: string): Governance {
    return { org, ...this.org(org).governance };
  }

  async registryAct(org: string, act: Omit<RegistryAct, 'id'>): Promise<{ id: string; jws: CompactJws }> {
    const id = randomUUID();
    return { id, jws: await signRegistryAct({ ...act, id }, this.governanceOf(org), 'trial', this.clock.in(0)) };
  }

  permit(custodian: string, recipient: string): { id: string; fn: string; args: { id: string } } {
    const args = { v: 1, id: randomUUID(), custodian, recipient, purpose: 'TREAT', until: this.clock.in(day), commitment: 'a'.repeat(64) };
    return { id: randomUUID(), fn: 'put-permit', args };
  }
}

/** Resolves when `look` gives something, asked every few milliseconds for at most `ms`. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined, ms = 5_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`nothing within ${String(ms)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const unreachable = (): PortolanError => new PortolanError('ledger.unreachable', 'test');
