import { sha256 } from '../hashing.js';
import { factsOf, type LedgerFacts, type Transaction } from '../ledger-facts.js';
import { callIn, isOwnWord, partsOf, type Call } from './envelope.js';
import type { PeerBlock } from './peer-blocks.js';

/** A call of the channel's contract, where it stands, and what became of it. */
export interface PlacedCall {
  readonly block: number;
  readonly index: number;
  readonly call: Call;
  /** The peer's word. */
  readonly isValid: boolean;
  /** Valid, and its caller's own word alone: only that counts. */
  readonly counts: boolean;
}

/** One peer's channel, replayed from its blocks. */
export interface FabricReplay {
  readonly org: string;
  readonly blocks: readonly PeerBlock[];
  readonly calls: readonly PlacedCall[];
  /** `public:<owner>/<name>/<hash of the value>` → value, `owned:<org>:#<hash of the name>` → hash of the value, as the valid transactions left them. */
  readonly state: ReadonlyMap<string, Buffer>;
  /** Each word of an owner that ever stood: `owned:<org>:#<hash of the name> <hash of the value>`. */
  readonly words: ReadonlySet<string>;
}

const CONTRACT = 'portolan';
/** Fabric, peer.TxValidationCode. */
const VALID = 0;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function replay(org: string, blocks: readonly PeerBlock[]): FabricReplay {
  const calls = blocks.flatMap((block) => callsIn(block));
  const state = new Map<string, Buffer>();
  const words = new Set<string>();
  for (const { call } of calls.filter(({ isValid }) => isValid)) {
    for (const { key, value } of call.writes.open) state.set(`public:${key}`, value);
    for (const { collection, keyHash, valueHash } of call.writes.owned) {
      const key = `owned:${collection.replace('_implicit_org_', '')}:#${keyHash}`;
      state.set(key, Buffer.from(valueHash));
      words.add(`${key} ${valueHash}`);
    }
  }
  return { org, blocks, calls, state, words };
}

function callsIn({ number, envelopes, flags }: PeerBlock): PlacedCall[] {
  return envelopes.flatMap((bytes, index) => {
    const call = callIn(bytes);
    if (call?.chaincode !== CONTRACT || !UUID.test(call.args[1] ?? '')) return [];
    const isValid = flags[index] === VALID;
    return [{ block: number, index, call, isValid, counts: isValid && isOwnWord(call) }];
  });
}

/** What the channel says happened, by the acts that count. */
export function fabricFacts({ calls }: FabricReplay): LedgerFacts {
  return factsOf(
    calls.map(({ block, index, call, counts }) => {
      const [fn = '', id = '', text = ''] = call.args;
      const transaction: Transaction = { block, index, id, org: call.creator.org, fn, args: argsIn(text), time: call.time, valid: counts };
      return { transaction, accepted: counts && fn === 'anchor-batch' ? acceptedIn(call.answer) : [] };
    }),
  );
}

const argsIn = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
};

const acceptedIn = (answer: string): boolean[] =>
  (JSON.parse(answer) as { verdicts: readonly { ok: boolean }[] }).verdicts.map(({ ok }) => ok);

/** A public value's name, its hash as the key has it, and the key under which its owner's word on the name stands in a replay. */
export function placeIn(publicKey: string): { name: string; hash: string; owned: string } {
  const { owner, name, hash } = partsOf(publicKey.slice('public:'.length));
  return { name: `public:${owner}/${name}`, hash, owned: `owned:${owner}:#${sha256(name)}` };
}

/** What stands by name: the values that are their owners' last word. */
export function statesByName({ state }: FabricReplay): ReadonlyMap<string, Buffer> {
  const open = [...state].filter(([key]) => key.startsWith('public:'));
  const places = open.map(([key, value]) => ({ ...placeIn(key), value }));
  return new Map(places.filter(({ owned, hash }) => state.get(owned)?.toString('utf8') === hash).map(({ name, value }) => [name, value]));
}
