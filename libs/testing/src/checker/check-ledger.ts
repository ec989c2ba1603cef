import type { JsonWebKey } from 'node:crypto';
import type { Country } from './checked-world.js';
import { leafHash, readJws, sha256, treeHash } from './hashing.js';
import {
  before,
  signedTransactions,
  type AnchoredStep,
  type ChannelPermit,
  type LedgerCopyRows,
  type LedgerFacts,
} from './ledger-facts.js';
import type { JudgedLedger } from './judged-ledger.js';
import type { Findings } from './violation.js';

interface Genesis {
  /** How far a transaction's time may be from its block's. */
  readonly clockWindowSeconds?: number;
  readonly orderer: { readonly jwk: JsonWebKey };
  readonly organisations: readonly { readonly keys: readonly { readonly kid: string; readonly jwk: JsonWebKey }[] }[];
}
interface Header {
  readonly number: number;
  readonly previous: string;
  readonly txRoot: string;
  readonly count: number;
}

/** One copy by itself: an unbroken signed chain, and a state in which every public value has its owner's word. */
export function checkCopy(copy: LedgerCopyRows, genesisText: string, findings: Findings): void {
  const genesis = JSON.parse(genesisText) as Genesis;
  let previous = sha256(genesisText);
  for (const [place, block] of copy.blocks.entries()) {
    const where = `${copy.org} ledger_block ${block.number}`;
    const header = readJws<Header>(block.header);
    const own = copy.txs.filter((tx) => tx.block === block.number);
    findings.demand(header.signedBy(genesis.orderer.jwk), 11, where, 'the orderer did not sign this header');
    findings.demand(Number(block.number) === place && header.payload.number === place, 4, where, 'a block is missing before it');
    findings.demand(header.payload.previous === previous, 4, where, 'the chain is broken');
    findings.demand(
      header.payload.txRoot === treeHash(own.map(({ jws }) => leafHash(jws))),
      4,
      where,
      'its transactions are not those of its header',
    );
    findings.demand(header.payload.count === own.length, 4, where, 'it has not as many transactions as its header says');
    findings.demand(sha256(block.results) === block.results_hash, 4, where, 'its results are not what was attested');
    previous = sha256(block.header);
  }
  checkState(copy, findings);
  checkAttestations(copy, findings);
}

function checkState(copy: LedgerCopyRows, findings: Findings): void {
  const values = new Map(copy.state.map(({ key, value }) => [key, value]));
  for (const [key, value] of values) {
    const rest = key.slice('public:'.length);
    if (!key.startsWith('public:') || rest === 'config/organisations') continue;
    const owned = values.get(`owned:${rest.replace('/', ':')}`);
    findings.demand(owned?.toString('utf8') === sha256(value), 11, `${copy.org} ledger_state ${key}`, 'the value is not its owner’s word');
  }
}

function checkAttestations(copy: LedgerCopyRows, findings: Findings): void {
  const one = copy.attestations.map(({ block, org }) => `${org} block ${block}`);
  findings.demandOnce(one, 5, `${copy.org} ledger_attestation`, 'an organisation said two different things of one block');
}

/** All copies say the same: blocks, outcomes, state. */
export function compareCopies(copies: readonly LedgerCopyRows[], findings: Findings): void {
  const [reference, ...others] = copies;
  if (reference === undefined) return;
  for (const other of others) {
    const pair = `${reference.org} and ${other.org}`;
    const height = Math.min(reference.blocks.length, other.blocks.length);
    findings.demand(
      reference.blocks.length === other.blocks.length,
      4,
      pair,
      `heights differ: ${reference.blocks.length}, ${other.blocks.length}`,
    );
    for (let n = 0; n < height; n += 1) compareBlock(reference, other, n, findings);
    if (reference.blocks.length === other.blocks.length) compareState(reference, other, findings);
  }
}

function compareBlock(a: LedgerCopyRows, b: LedgerCopyRows, n: number, findings: Findings): void {
  const [one, two] = [a.blocks[n], b.blocks[n]];
  for (const member of ['header', 'results', 'results_hash', 'state_hash'] as const) {
    findings.demand(one?.[member] === two?.[member], 4, `${a.org} and ${b.org}, block ${n}`, `${member} differs`);
  }
  const verdicts = (copy: LedgerCopyRows): string =>
    copy.txs
      .filter((tx) => Number(tx.block) === n)
      .map((tx) => tx.verdicts)
      .join('\n');
  findings.demand(verdicts(a) === verdicts(b), 4, `${a.org} and ${b.org}, block ${n}`, 'the copies judged its steps differently');
}

function compareState(a: LedgerCopyRows, b: LedgerCopyRows, findings: Findings): void {
  const other = new Map(b.state.map(({ key, value }) => [key, value.toString('hex')]));
  for (const { key, value } of a.state) {
    findings.demand(
      other.get(key) === value.toString('hex'),
      4,
      `${a.org} and ${b.org}, ledger_state ${key}`,
      'the copies hold different values',
    );
    other.delete(key);
  }
  for (const key of other.keys()) findings.demand(false, 4, `${a.org} and ${b.org}, ledger_state ${key}`, 'one copy lacks this value');
}

/** What stands on the channel by itself: batches and their roots, each step once, nothing released without a live permit. */
export function checkChannel({ facts, state, windowSeconds }: JudgedLedger, findings: Findings): void {
  checkBatches(state, facts, findings);
  checkSteps(facts, windowSeconds, findings);
}

export const clockWindowOf = (genesisText: string): number => (JSON.parse(genesisText) as Genesis).clockWindowSeconds ?? 120;

/** What is valid on the embedded ledger was signed by a registered key, and stands once. */
export function checkSignatures(copy: LedgerCopyRows, facts: LedgerFacts, genesisText: string, findings: Findings): void {
  const genesis = JSON.parse(genesisText) as Genesis;
  const founding = genesis.organisations.flatMap(({ keys }) => keys.map(({ kid, jwk }) => [kid, jwk] as const));
  const keys = new Map([...founding, ...[...facts.keys.values()].map(({ kid, jwk }) => [kid, jwk] as const)]);
  const standing = signedTransactions(copy).filter(({ valid }) => valid);
  for (const { id, jws, kid } of standing) {
    const key = keys.get(kid);
    const signed = key !== undefined && readJws(jws).signedBy(key);
    findings.demand(signed, 11, `transaction ${id}`, 'valid without the signature of a registered key');
  }
  findings.demandOnce(
    standing.map(({ id }) => id),
    5,
    'transaction',
    'valid twice',
  );
}

function checkBatches(state: JudgedLedger['state'], facts: LedgerFacts, findings: Findings): void {
  const leavesOf = Map.groupBy(facts.steps, ({ org, batch }) => `${org} ${batch}`);
  const numbers = new Map<string, number>();
  for (const batch of facts.transactions.filter(({ valid, fn }) => valid && fn === 'anchor-batch')) {
    const n = batch.args['n'] as number;
    const where = `batch ${n} of ${batch.org}`;
    findings.demand(n === (numbers.get(batch.org) ?? -1) + 1, 4, where, 'a batch is missing before it');
    numbers.set(batch.org, n);
    const leaves = (leavesOf.get(`${batch.org} ${n}`) ?? []).map(({ text }) => leafHash(text));
    const stored = state.get(`public:${batch.org}/batch/${n}`)?.toString('utf8');
    const record = stored === undefined ? undefined : (JSON.parse(stored) as { record: { root: string; count: number } }).record;
    findings.demand(
      record?.root === treeHash(leaves) && record.count === leaves.length,
      4,
      where,
      'its record is not the root of its accepted steps',
    );
  }
}

/** A transfer may have several adoptions, each another text; everything else is one of its kind. */
const nameOf = (step: string, text: string): string => (step === 'adopted' ? `adopted ${sha256(text)}` : step);

function checkSteps(facts: LedgerFacts, windowSeconds: number, findings: Findings): void {
  findings.demandOnce(
    facts.steps.map(({ leaf, text }) => `${leaf.transferId} ${nameOf(leaf.step, text)}`),
    5,
    'step',
    'anchored twice',
  );
  const released = new Map(facts.steps.filter(({ leaf }) => leaf.step === 'released').map((step) => [step.leaf.transferId, step]));
  for (const step of facts.steps) {
    if (step.leaf.step === 'released') checkRelease(step, facts, findings);
    else {
      const before = released.get(step.leaf.transferId);
      checkFollowUp(step, before, findings);
      if (before !== undefined) checkMoment(step, before, windowSeconds, findings);
    }
  }
  const ends = facts.steps.filter(({ leaf }) => ['received', 'refused', 'expired'].includes(leaf.step));
  findings.demandOnce(
    ends.map(({ leaf }) => leaf.transferId),
    5,
    'transfer',
    'has two ends on the channel',
  );
}

function checkRelease(step: AnchoredStep, facts: LedgerFacts, findings: Findings): void {
  const { transferId, permitId = '', from, to, by } = step.leaf;
  const permit = facts.permits.get(permitId);
  const where = `step ${transferId} released`;
  findings.demand(by === step.org && from === step.org, 1, where, 'is not the custodian’s own word');
  const standing = permit !== undefined && before(permit, step);
  findings.demand(
    standing && permit.custodian === from && permit.recipient === to,
    3,
    where,
    'no permit of these countries stood before it',
  );
  if (permit !== undefined) checkLive(step, permit, where, findings);
}

function checkLive(step: AnchoredStep, permit: ChannelPermit, where: string, findings: Findings): void {
  // A late release counts from when it happened, a permit's end from when it reached the channel.
  const late = step.leaf.late !== undefined;
  const moment = late ? (step.leaf.time ?? '') : step.time;
  const { end } = permit;
  findings.demand(end === undefined || (late ? moment < end.time : before(step, end)), 3, where, 'its permit had ended');
  findings.demand(moment !== '' && moment < permit.until, 3, where, 'its permit had expired');
}

function checkFollowUp(step: AnchoredStep, released: AnchoredStep | undefined, findings: Findings): void {
  const where = `step ${step.leaf.transferId} ${step.leaf.step}`;
  findings.demand(released !== undefined && before(released, step), 1, where, 'no release stood before it');
  if (released === undefined) return;
  findings.demand(step.leaf.predecessor === sha256(released.text), 1, where, 'follows another text than the release that stands');
  findings.demand(
    step.org === step.leaf.by && [released.leaf.from, released.leaf.to].includes(step.org),
    1,
    where,
    'is not the word of a party',
  );
}

/** The receiver's end is dated within limit and grace (a late release's within a day of its anchor), expired two clock windows after. */
function checkMoment({ leaf, time }: AnchoredStep, released: AnchoredStep, windowSeconds: number, findings: Findings): void {
  if (leaf.step === 'adopted') return;
  const { limit = '', graceSeconds = 0, late } = released.leaf;
  const inTime = Date.parse(limit) + graceSeconds * 1000;
  const closes = late === undefined ? inTime : Math.max(inTime, Date.parse(released.time) + 86_400_000);
  const at = Date.parse(time);
  const where = `step ${leaf.transferId} ${leaf.step}`;
  if (leaf.step === 'expired') findings.demand(at > closes + 2000 * windowSeconds, 1, where, 'expired while another end could still come');
  else findings.demand(at <= closes, 1, where, 'dated after limit and grace');
}

interface StepRow {
  readonly transfer_id: string;
  readonly step: string;
  readonly leaf: string;
  readonly state: string;
  readonly batch: string | null;
  readonly leaf_index: number | null;
}
interface TrailRow {
  readonly org: string;
  readonly transfer_id: string;
  readonly step: string;
  readonly batch: string;
  readonly leaf_index: number;
  readonly leaf: string;
  readonly block: string;
  readonly position: number;
  readonly alarm: string | null;
}

/** A notary's own rows say what the channel says: its steps and batches, and the trail of all countries. */
export function checkNotary(country: Country, facts: LedgerFacts, findings: Findings): void {
  const name = (org: string, { transferId, step }: { transferId: string; step: string }, text: string): string =>
    `${org} ${transferId} ${nameOf(step, text)}`;
  const place = (batch: string | number | null, index: number | null, leaf: string): string => `${batch ?? ''}/${index ?? ''} ${leaf}`;
  const anchored = new Map(facts.steps.map((one) => [name(one.org, one.leaf, one.text), place(one.batch, one.position, one.text)]));
  const own = country.rows<StepRow>('notary.step');
  for (const { transfer_id: transferId, step, leaf, state, batch, leaf_index: index } of own) {
    const stands = anchored.get(name(country.code, { transferId, step }, leaf));
    const where = `${country.code} notary.step ${transferId} ${step}`;
    if (state === 'accepted') findings.demand(stands === place(batch, index, leaf), 4, where, 'accepted here, not so on the channel');
    else findings.demand(stands === undefined, 4, where, `stands on the channel, ${state} here`);
  }
  const rows = new Set(own.map(({ transfer_id: transferId, step, leaf }) => name(country.code, { transferId, step }, leaf)));
  for (const { org, leaf, text } of facts.steps.filter((one) => one.org === country.code)) {
    findings.demand(
      rows.has(name(org, leaf, text)),
      4,
      `${country.code} notary.step ${leaf.transferId} ${leaf.step}`,
      'anchored without a stored decision',
    );
  }
  checkTrail(country, anchored, findings);
}

function checkTrail(country: Country, anchored: ReadonlyMap<string, string>, findings: Findings): void {
  const missing = new Map(anchored);
  checkAlarms(country, findings);
  for (const row of country.rows<TrailRow>('notary.trail_step')) {
    const name = `${row.org} ${row.transfer_id} ${nameOf(row.step, row.leaf)}`;
    const where = `${country.code} notary.trail_step ${name}`;
    findings.demand(
      missing.get(name) === `${row.batch}/${row.leaf_index} ${row.leaf}`,
      4,
      where,
      'the trail differs from the channel, or says it twice',
    );
    missing.delete(name);
  }
  for (const name of missing.keys())
    findings.demand(false, 4, `${country.code} notary.trail_step ${name}`, 'the trail lacks an anchored step');
}

/** Of releases and of ends of one transfer the first counts; the trail names every other, and those alone. */
function checkAlarms(country: Country, findings: Findings): void {
  const rows = country.rows<TrailRow>('notary.trail_step').filter(({ step }) => step !== 'adopted');
  const inOrder = [...rows].sort((a, b) => Number(a.block) - Number(b.block) || a.position - b.position);
  const seen = new Set<string>();
  for (const { transfer_id: transfer, step, leaf, alarm } of inOrder) {
    const { from, to } = JSON.parse(leaf) as { from: string; to: string };
    const key = `${transfer} ${from} ${to} ${step === 'released' ? step : 'end'}`;
    const where = `${country.code} notary.trail_step ${transfer} ${step}`;
    findings.demand(
      seen.has(key) === (alarm !== null),
      5,
      where,
      alarm === null ? 'is a second one, and not named' : `counts, and is named ${alarm}`,
    );
    seen.add(key);
  }
}
