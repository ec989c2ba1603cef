import type { JsonWebKey } from 'node:crypto';
import type { CheckedWorld, Country } from '../checked-world.js';
import { sha256 } from '../hashing.js';
import type { LedgerFacts } from '../ledger-facts.js';
import type { JudgedLedger } from '../judged-ledger.js';
import type { Findings } from '../violation.js';
import { fabricFacts, placeIn, replay, statesByName, type FabricReplay, type PlacedCall } from './fabric-facts.js';
import { checkIndex } from './check-index.js';
import { hashOfData, readPeerBlocks } from './peer-blocks.js';

type FabricLedger = Extract<CheckedWorld['ledger'], { kind: 'fabric' }>;

/** How far a transaction's time may be from a peer's: the rules' own, where Fabric's channel has no other. */
const WINDOW_SECONDS = 120;

/**
 * The channel as each peer's own block files have it, beside what the notaries' indexes say of it: the files are read without asking
 * peer or node.
 */
export async function judgeFabric(ledger: FabricLedger, countries: readonly Country[], findings: Findings): Promise<JudgedLedger> {
  const replays = await Promise.all(
    countries.map(async ({ code }) => {
      const folder = ledger.blocksOf[code];
      if (folder === undefined) throw new Error(`no blocks of ${code}'s peer`);
      return replay(code, await readPeerBlocks(folder));
    }),
  );
  for (const one of replays) checkChain(one, findings);
  comparePeers(replays, findings);
  for (const [place, one] of replays.entries()) {
    const country = countries[place];
    if (country !== undefined) checkIndex(country, one, findings);
  }
  const [reference] = replays;
  if (reference === undefined) throw new Error('a world without a country');
  const facts = fabricFacts(reference);
  checkWords(reference, findings);
  checkCalls(reference, facts, findings);
  return { facts, state: statesByName(reference), windowSeconds: WINDOW_SECONDS, texts: textsOf(replays) };
}

/** Blocks of every peer as they lie, for whoever looks for what must not stand there. */
const textsOf = (replays: readonly FabricReplay[]): JudgedLedger['texts'] =>
  replays.flatMap(({ org, blocks }) =>
    blocks.flatMap(({ number, envelopes }) =>
      envelopes.map((bytes) => ({ where: `${org} block ${number}`, text: bytes.toString('utf8') })),
    ),
  );

/** Each block continues the one before, and holds the transactions that its header names. */
function checkChain({ org, blocks }: FabricReplay, findings: Findings): void {
  let previous = '';
  for (const [place, block] of blocks.entries()) {
    const where = `${org} peer block ${block.number}`;
    findings.demand(block.number === place, 4, where, 'a block is missing before it');
    findings.demand(block.previous === previous, 4, where, 'the chain is broken');
    findings.demand(hashOfData(block.envelopes) === block.dataHash, 4, where, 'its transactions are not those of its header');
    findings.demand(block.flags.length === block.envelopes.length, 4, where, 'it has not a verdict for each transaction');
    previous = block.hash;
  }
}

/** All peers have the same blocks, and judged each transaction alike. */
function comparePeers([reference, ...others]: readonly FabricReplay[], findings: Findings): void {
  if (reference === undefined) return;
  for (const other of others) {
    const pair = `peers of ${reference.org} and ${other.org}`;
    const heights = [reference.blocks.length, other.blocks.length];
    findings.demand(heights[0] === heights[1], 4, pair, `heights differ: ${heights.join(', ')}`);
    for (const [n, one] of reference.blocks.entries()) {
      const two = other.blocks[n];
      if (two === undefined) break;
      findings.demand(one.hash === two.hash, 4, `${pair}, block ${n}`, 'hash differs');
      findings.demand(one.flags.equals(two.flags), 4, `${pair}, block ${n}`, 'judged differently');
    }
  }
}

/** Every public value lies under its own hash, and is or was its owner's word. */
function checkWords({ org, state, words }: FabricReplay, findings: Findings): void {
  for (const [key, value] of state) {
    if (!key.startsWith('public:')) continue;
    const { hash, owned } = placeIn(key);
    const spoken = hash === sha256(value) && words.has(`${owned} ${hash}`);
    findings.demand(spoken, 11, `${org} peer ${key}`, 'the value is not its owner’s word');
  }
}

/** What counts was signed by a registered key of its organisation, endorsed by it and by another one, and stands once. */
function checkCalls({ calls }: FabricReplay, facts: LedgerFacts, findings: Findings): void {
  const registered = registeredKeys(facts);
  const counting = calls.filter(({ counts }) => counts);
  for (const placed of counting) checkSigners(placed, registered, findings);
  findings.demandOnce(
    counting.map(({ call }) => `${call.creator.org} ${call.args[1] ?? ''}`),
    5,
    'transaction',
    'counts twice',
  );
  findings.demandOnce(
    calls.filter(({ isValid }) => isValid).map(({ call }) => call.txId),
    5,
    'transaction',
    'valid twice',
  );
}

const nameOf = (org: string, { x = '', y = '' }: JsonWebKey): string => `${org} ${x} ${y}`;

/** Of notaries, and of governance identities: these stand in the organisation's first act. */
function registeredKeys(facts: LedgerFacts): ReadonlySet<string> {
  const founders = facts.transactions
    .filter(({ valid, fn }) => valid && (fn === 'found-organisation' || fn === 'admit-organisation'))
    .map(({ args }) => args['organisation'] as { org: string; keys: readonly { jwk: JsonWebKey }[] });
  const governance = founders.flatMap(({ org, keys }) => keys.map(({ jwk }) => nameOf(org, jwk)));
  return new Set([...governance, ...[...facts.keys.values()].map(({ org, jwk }) => nameOf(org, jwk))]);
}

function checkSigners({ call, block, index }: PlacedCall, registered: ReadonlySet<string>, findings: Findings): void {
  const where = `transaction ${block}/${index} ${call.args[0] ?? ''}`;
  const { creator, endorsers } = call;
  const { jwk, signed } = creator.proof();
  findings.demand(signed && registered.has(nameOf(creator.org, jwk)), 11, where, 'counts without the signature of a registered key');
  findings.demand(
    endorsers.every((one) => one.proof().signed),
    11,
    where,
    'an endorsement does not verify',
  );
  const orgs = new Set(endorsers.map(({ org }) => org));
  findings.demand(orgs.has(creator.org) && orgs.size > 1, 11, where, 'not endorsed by its owner and another country');
}
