import { peer, type common } from '@hyperledger/fabric-protos';
import { PortolanError, Validators, type ErrorCode, type Instant, type OrgId } from '@portolan/contracts';
import { Clock } from '@portolan/domain';
import {
  contentKey,
  foundingFn,
  keyText,
  prepare,
  recordWrites,
  names,
  type Caller,
  type Decision,
  type StateKey,
  type Value,
  type Write,
} from '@portolan/ledger-rules';
import { createHash, randomBytes } from 'node:crypto';
import { blockOf } from '../block/chain-info.js';
import { dataHashOf, headerHash } from '../block/header-hash.js';
import { validationCode } from '../block/read-block.js';
import { ChannelClient, type BlockStream } from '../client/channel-client.js';
import type { Tried } from '../client/tried.js';
import { Signal } from '../index/waiting.js';
import { fakeConfig, fakeEnvelope, type FakeWrite } from './fake-envelope.js';

export class TestClock extends Clock {
  ahead = 0;
  now(): number {
    return Date.now() + this.ahead;
  }
  instant(ms = 0): Instant {
    return new Date(this.now() + ms).toISOString();
  }
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const { VALID, MVCC_READ_CONFLICT, ENDORSEMENT_POLICY_FAILURE } = peer.TxValidationCode;
type Validation = peer.TxValidationCodeMap[keyof peer.TxValidationCodeMap];

interface Ordered {
  readonly envelope: Uint8Array;
  readonly reads: ReadonlyMap<string, number>;
  readonly writes: readonly Write[];
  readonly fault?: Validation | undefined;
  readonly settle: (code: Validation) => void;
}

/**
 * A channel as Fabric's gateway shows it, in memory: acts are executed by libs/ledger-rules, ordered into blocks of Fabric's own
 * encoding, and judged at commit by what they read. What a network does to a client (a lost answer, a conflict, a peer that is away) a test sets.
 */
export class FakeChannel {
  static readonly validators = new Validators();
  readonly chain: common.Block[] = [];
  readonly grown = new Signal();
  readonly clock = new TestClock();
  private readonly state = new Map<string, { readonly bytes: Uint8Array; readonly version: number }>();
  private waiting: Ordered[] = [];
  /** While true, nothing is cut: transactions gather for one block. */
  held = false;

  constructor(readonly name = 'trial') {
    this.cut([{ envelope: fakeConfig(name), reads: new Map(), writes: [], settle: () => undefined }]);
    for (const org of ['EE', 'PT', 'BE', 'DE'] as const) {
      const writes = recordWrites(names.participant(org), { v: 1, org, kind: 'country' }, this.clock.instant());
      void this.act(org, [foundingFn, crypto.randomUUID(), '{}'], writes);
    }
  }

  clientOf(org: OrgId, role: Caller['role'] = 'notary'): FakeClient {
    return new FakeClient(this, { org, role });
  }

  /** Runs a rule on what is committed, as an endorser does. */
  execute(fn: string, text: string, caller: Caller): { decision: Decision; reads: Map<string, number> } {
    const prepared = prepare(
      { fn, args: JSON.parse(text) as unknown, caller, time: this.clock.instant() },
      { validators: FakeChannel.validators, sha256 },
    );
    if (!prepared.ok) return { decision: prepared, reads: new Map() };
    const reads = new Map(prepared.reads.map((key) => [keyText(key), this.state.get(keyText(key))?.version ?? 0]));
    return { decision: prepared.decide(new Map(prepared.reads.flatMap((key) => this.shown(key)))), reads };
  }

  isKnown(org: OrgId, id: string): boolean {
    return this.state.has(keyText({ space: 'owned', owner: org, key: `tx/${id}` }));
  }

  /** A transaction that bears these writes, whatever rules say: from altered chaincode, or with a fault that Fabric finds at commit. */
  act(
    org: OrgId,
    texts: readonly string[],
    writes: readonly Write[],
    more: Partial<Ordered> & { answer?: string; marker?: boolean } = {},
  ): Promise<Validation> {
    const marker: Write = { key: { space: 'owned', owner: org, key: `tx/${texts[1] ?? ''}` }, bytes: Buffer.from(texts[0] ?? '') };
    const all = more.marker === false ? writes : [...writes, marker];
    const txId = randomBytes(32).toString('hex');
    const envelope = fakeEnvelope({
      ...{ channel: this.name, chaincode: 'portolan', org, txId, millis: this.clock.now(), texts },
      answer: more.answer ?? '{}',
      writes: all.map(fakeWrite),
      endorsers: [org, org === 'BE' ? 'DE' : 'BE'],
    });
    return new Promise<Validation>((settle) => {
      this.waiting.push({ reads: more.reads ?? new Map(), envelope, writes: all, fault: more.fault, settle });
      if (!this.held) this.release();
    });
  }

  /** Cuts what has gathered. */
  release(): void {
    const all = this.waiting;
    this.waiting = [];
    if (all.length > 0) this.cut(all);
  }

  private cut(all: readonly Ordered[]): void {
    const codes = all.map((one) => this.commit(one));
    const data = all.map(({ envelope }) => envelope);
    const metadata = [new Uint8Array(), new Uint8Array(), Buffer.from(codes)];
    const block = blockOf({ number: this.chain.length, previousHash: this.tipHash(), dataHash: dataHashOf(data), data, metadata });
    this.chain.push(block);
    this.grown.fire();
    all.forEach(({ settle }, i) => settle(codes[i] ?? VALID));
  }

  private tipHash(): Uint8Array {
    const header = this.chain.at(-1)?.getHeader();
    if (header === undefined) return new Uint8Array();
    const parts = { number: header.getNumber(), previous: header.getPreviousHash_asU8(), dataHash: header.getDataHash_asU8() };
    return headerHash(parts);
  }

  private commit({ reads, writes, fault }: Ordered): Validation {
    if (fault !== undefined) return fault;
    if ([...reads].some(([key, version]) => (this.state.get(key)?.version ?? 0) !== version)) return MVCC_READ_CONFLICT;
    for (const { key, bytes } of writes) this.state.set(keyText(key), { bytes, version: this.chain.length + 1 });
    return VALID;
  }

  private shown(key: StateKey): [string, Value][] {
    const found = this.state.get(keyText(key));
    if (found === undefined) return [];
    return [[keyText(key), key.space === 'public' ? { bytes: found.bytes } : { hash: Buffer.from(sha256(found.bytes)).toString('hex') }]];
  }
}

const fakeWrite = ({ key, bytes }: Write): FakeWrite => ({
  collection: key.space === 'public' ? '' : `_implicit_org_${key.owner}`,
  key: key.space === 'public' ? contentKey(key.key, Buffer.from(sha256(bytes)).toString('hex')) : key.key,
  bytes,
});

/** What happens to the next try. */
export type Mishap = 'answer-lost' | 'never-ordered' | 'policy' | 'conflict' | { readonly refuse: ErrorCode; readonly where: string };

function faultOf(mishap: Mishap | undefined): Validation | undefined {
  if (mishap === 'policy') return ENDORSEMENT_POLICY_FAILURE;
  return mishap === 'conflict' ? MVCC_READ_CONFLICT : undefined;
}

/** One organisation's client. */
export class FakeClient extends ChannelClient {
  readonly mishaps: Mishap[] = [];
  /** The peer is away: queries and streams fail. */
  away = false;
  tries = 0;
  private readonly streams = new Set<AbortController>();

  constructor(
    private readonly channel: FakeChannel,
    private readonly caller: Caller,
  ) {
    super();
  }

  async attempt(fn: string, texts: readonly string[], onOrdered: () => void): Promise<Tried> {
    this.tries += 1;
    const [id = '', text = ''] = texts;
    const mishap = this.mishaps.shift();
    if (this.away) return { is: 'unknown', cause: new Error('away') };
    if (typeof mishap === 'object') return { is: 'refused', code: mishap.refuse, where: mishap.where };
    const { decision, reads } = this.channel.execute(fn, text, this.caller);
    if (this.channel.isKnown(this.caller.org, id)) return { is: 'refused', code: 'orderer.transaction-duplicate', where: 'id' };
    if (!decision.ok) return { is: 'refused', code: decision.code, where: decision.where };
    onOrdered();
    if (mishap === 'never-ordered') return { is: 'unknown', cause: new Error('lost') };
    const answer = JSON.stringify(decision.verdicts === undefined ? {} : { verdicts: decision.verdicts });
    return this.order([fn, ...texts], decision.writes, { reads, answer }, mishap);
  }

  private async order(
    texts: readonly string[],
    writes: readonly Write[],
    more: Partial<Ordered> & { answer: string },
    mishap?: Mishap,
  ): Promise<Tried> {
    const fault = faultOf(mishap);
    const committed = this.channel.act(this.caller.org, texts, writes, { ...more, fault });
    if (mishap === 'answer-lost') return { is: 'unknown', cause: new Error('lost') };
    const code = validationCode(await committed);
    return code === undefined ? { is: 'committed' } : { is: 'again', code };
  }

  async ask(fn: string, org: string, id: string): Promise<string> {
    if (this.away) throw new PortolanError('ledger.unreachable', 'fake peer');
    if (fn !== 'transaction-known') throw new Error(fn);
    return String(this.channel.isKnown(org, id));
  }

  async height(): Promise<number> {
    if (this.away) throw new PortolanError('ledger.unreachable', 'fake peer');
    return this.channel.chain.length;
  }

  async blocks(from: number): Promise<BlockStream> {
    if (this.away) throw new PortolanError('ledger.unreachable', 'fake peer');
    const { channel } = this;
    const end = new AbortController();
    this.streams.add(end);
    async function* read(): AsyncGenerator<common.Block> {
      for (let number = from; !end.signal.aborted;) {
        const block = channel.chain[number];
        if (block === undefined) await channel.grown.wait(1_000, end.signal);
        else {
          yield block;
          number += 1;
        }
      }
    }
    const blocks = read();
    return { [Symbol.asyncIterator]: () => blocks, close: () => end.abort() };
  }

  /** Ends all streams, as a peer that goes away does. */
  breakStreams(): void {
    for (const stream of this.streams) stream.abort();
    this.streams.clear();
  }

  close(): void {
    this.breakStreams();
  }
}
