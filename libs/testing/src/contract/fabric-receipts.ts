import { randomBytes, randomUUID, webcrypto } from 'node:crypto';
import {
  canonicalJson,
  type FabricReceipt,
  type FabricTrust,
  type HeadRecord,
  type OrgId,
  type PublicJwk,
  type StepLeaf,
} from '@portolan/contracts';
import type { CommittedTx } from '@portolan/domain';
import { sha256 } from '@portolan/keys';
import {
  base64url,
  commit,
  inclusionPath,
  jwsHash,
  leafHash,
  merkleRoot,
  sealedRoot,
  sha256Hex,
  signJws,
  textOf,
  thumbprint,
  utf8,
} from '@portolan/verify';
import type { FabricCountry } from './fabric-world.js';
import { pursue } from './pursue.js';

/** Receipts by name, taken from a real channel, and the trust file that a country's notary gives. */
export interface TakenReceipts {
  readonly trust: FabricTrust;
  readonly receipts: Readonly<Record<'released' | 'released-disclosed' | 'received', FabricReceipt>>;
  /** A receipt for a batch that lost its number to another one: no head ever read it. */
  readonly unread: FabricReceipt;
}

interface SignKey {
  readonly jwk: PublicJwk;
  readonly sign: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
}

interface Batch {
  readonly n: number;
  readonly leaves: readonly string[];
}

const plaintext = '{"resourceType":"Bundle","note":"Mari Näidis, a synthetic person"}';
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const digest = 'ab'.repeat(32);
const hour = 3_600_000;
const patienceMs = 30_000;

/**
 * EE releases to PT, PT receives; both put a head. Plays on whatever stands on the channel already. `from` and `to` have founded themselves and
 * their ledgers are open.
 */
export async function takeReceipts(from: FabricCountry, to: FabricCountry): Promise<TakenReceipts> {
  const answering = await newSignKey();
  const kid = thumbprint(answering.jwk, sha256);
  await to.govern('put-key', {
    v: 1,
    org: to.org,
    kid,
    use: 'sign',
    jwk: answering.jwk,
    notBefore: inMs(-hour),
    notAfter: inMs(24 * hour),
  });
  const permitId = randomUUID();
  const parties = { custodian: from.org, recipient: to.org };
  await act(from, 'put-permit', { v: 1, id: permitId, ...parties, purpose: 'TREAT', until: inMs(24 * hour), commitment: digest });
  const { leaf, sealed, salt } = releaseOf(permitId, from.org, to.org);
  const another = (): string => releaseOf(permitId, from.org, to.org).leaf;
  const released = await anchor(from, [another(), leaf, another()]);
  const lost = await losing(from, permitId, to.org);
  const head = await putHead(from);
  const answer = await answerTo(leaf, from.place().channel, answering);
  await recordOf(to, `batch/${released.n}`, from.org);
  const after = { org: from.org, n: released.n, index: 1, ...pathIn(released, leaf) };
  const closing = receivedAfter(leaf, answer);
  const received = await anchor(to, [closing], [after]);
  const receivedHead = await putHead(to);
  const bare = await receiptOf(from, head, released, leaf);
  await recordOf(from, `key/${kid}`, to.org);
  return {
    trust: await from.ledger.trustFile(),
    receipts: {
      released: bare,
      'released-disclosed': { ...bare, sealed, disclosed: { salt, plaintext }, counterReceipt: answer },
      received: { ...(await receiptOf(to, receivedHead, received, closing)), counterReceipt: answer },
    },
    unread: await receiptOf(from, head, { n: lost.n, leaves: [lost.leaf] }, lost.leaf),
  };
}

function releaseOf(permitId: string, from: OrgId, to: OrgId): { leaf: string; sealed: string[]; salt: string } {
  const sealed = [1, 2, 3].map(() => leafHash(randomBytes(32), sha256));
  const salt = randomBytes(32);
  const commitment = commit(salt, utf8(plaintext), sha256);
  const parts = { transferId: randomUUID(), from, to, by: from, permitId, ciphertextHash: sealedRoot(sealed, sha256), commitment };
  const leaf = canonicalJson({ v: 1, step: 'released', ...parts, limit: inMs(hour), graceSeconds: 600 } satisfies StepLeaf);
  return { leaf, sealed, salt: base64url(salt) };
}

async function answerTo(leaf: string, channel: string, { jwk, sign }: SignKey): Promise<string> {
  const { transferId, from, to, ciphertextHash } = JSON.parse(leaf) as Extract<StepLeaf, { step: 'released' }>;
  const told = { v: 1, channel, transferId, from, to, predecessor: sha256Hex(leaf, sha256), ciphertextHash, outcome: 'received' };
  return signJws('counter-receipt', thumbprint(jwk, sha256), canonicalJson({ ...told, time: inMs(0) }), sign);
}

function receivedAfter(leaf: string, answer: string): string {
  const { transferId, from, to } = JSON.parse(leaf) as StepLeaf;
  const chain = { predecessor: sha256Hex(leaf, sha256), receiptHash: jwsHash(answer, sha256) };
  return canonicalJson({ v: 1, step: 'received', transferId, from, to, by: to, ...chain } satisfies StepLeaf);
}

async function newSignKey(): Promise<SignKey> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const { x, y } = await webcrypto.subtle.exportKey('jwk', publicKey);
  const sign: SignKey['sign'] = async (bytes) =>
    new Uint8Array(await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, bytes));
  return { jwk: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, sign };
}

async function anchor(country: FabricCountry, leaves: readonly string[], after: readonly object[] = []): Promise<Batch> {
  const n = await firstFree(country, 'batch');
  const steps = leaves.map((leaf, i) => ({ leaf, ...(after[i] === undefined ? {} : { after: after[i] }) }));
  const { verdicts } = await act(country, 'anchor-batch', { v: 1, n, steps });
  if (verdicts?.every(({ accepted }) => accepted) !== true) throw new Error(`a step of batch ${n} was refused`);
  return { n, leaves };
}

/** Two batches want one number at once: one of them stands, and the other one is given back. */
async function losing(country: FabricCountry, permitId: string, to: OrgId): Promise<{ n: number; leaf: string }> {
  const n = await firstFree(country, 'batch');
  const tries = [1, 2].map(async () => {
    const { leaf } = releaseOf(permitId, country.org, to);
    const { valid } = await pursue(
      country.ledger,
      { id: randomUUID(), fn: 'anchor-batch', args: { v: 1, n, steps: [{ leaf }] } },
      patienceMs,
    );
    return { leaf, valid };
  });
  const [lost, ...more] = (await Promise.all(tries)).filter(({ valid }) => !valid);
  if (lost === undefined || more.length > 0) throw new Error(`two batches of number ${n} ended alike`);
  return { n, leaf: lost.leaf };
}

async function putHead(country: FabricCountry): Promise<string> {
  const seq = await firstFree(country, 'head');
  const before = seq === 0 ? undefined : await recordOf<HeadRecord>(country, `head/${seq - 1}`);
  const { size, root, nextBatch } = before ?? { size: 0, root: merkleRoot([], sha256), nextBatch: 0 };
  const batches = [];
  for (let n = nextBatch, end = await firstFree(country, 'batch'); n < end; n += 1) {
    const record = await recordOf<{ root: string; count: number }>(country, `batch/${n}`);
    batches.push({ n, root: record.root, count: record.count });
  }
  const id = randomUUID();
  await act(country, 'put-head', { v: 1, org: country.org, seq, size, root, consistency: [], batches }, id);
  return id;
}

async function act(country: FabricCountry, fn: string, args: object, id: string = randomUUID()): Promise<CommittedTx> {
  const outcome = await pursue(country.ledger, { id, fn, args }, patienceMs);
  if (!outcome.valid) throw new Error(`${fn} of ${country.org} was refused: ${String(outcome.code)}`);
  return outcome;
}

async function firstFree(country: FabricCountry, kind: 'batch' | 'head'): Promise<number> {
  let n = 0;
  while ((await country.ledger.record(country.org, `${kind}/${n}`)) !== undefined) n += 1;
  return n;
}

/** A record that stands, or will as soon as the country's copy is as far. */
async function recordOf<R>(country: FabricCountry, key: string, owner = country.org): Promise<R> {
  for (const end = Date.now() + patienceMs; Date.now() < end;) {
    const found = await findRecord<R>(country, owner, key);
    if (found !== undefined) return found.record;
    await country.ledger.beyond(await country.ledger.height(), 200);
  }
  throw new Error(`${owner} has no ${key}`);
}

async function findRecord<R>(country: FabricCountry, owner: OrgId, key: string): Promise<{ record: R; at: string } | undefined> {
  const bytes = await country.ledger.record(owner, key);
  return bytes === undefined ? undefined : (JSON.parse(textOf(bytes)) as { record: R; at: string });
}

function pathIn({ leaves }: Batch, leaf: string): { leaf: string; path: readonly string[] } {
  const hashes = leaves.map((one) => leafHash(utf8(one), sha256));
  return { leaf, path: inclusionPath(leaves.indexOf(leaf), hashes, sha256) };
}

/** A receipt as the notary puts it together. */
async function receiptOf(country: FabricCountry, headId: string, batch: Batch, leaf: string): Promise<FabricReceipt> {
  const evidence = await country.ledger.evidence(headId);
  if (evidence === undefined) throw new Error(`a head of ${country.org} has no evidence`);
  const hashes = batch.leaves.map((one) => leafHash(utf8(one), sha256));
  const { path } = pathIn(batch, leaf);
  const place = { n: batch.n, root: merkleRoot(hashes, sha256), count: hashes.length, index: batch.leaves.indexOf(leaf), path: [...path] };
  return { ...evidence, leaf, batch: place };
}
