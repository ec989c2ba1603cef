// Makes the channel's vectors in libs/contracts/vectors: `npx tsc -b libs/ledger-rules && node libs/ledger-rules/tools/make-vectors.mjs`.
// Keys and signatures are fresh each time, so the files change as a whole; they are committed and everything reads the same ones.
// libs/verify/tools/make-fabric-vectors.mjs tells the same story for Fabric: run it afterwards.
import { createHash, webcrypto } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { canonicalJson, Validators } from '@portolan/contracts';
import {
  base64url,
  commit,
  inclusionPath,
  jwsHash,
  leafHash,
  merkleRoot,
  permitCommitment,
  sealedRoot,
  sha256Hex,
  signJws,
  thumbprint,
  utf8,
} from '@portolan/verify';
import { MemoryLedger, uuid } from '../dist/testing/memory-ledger.js';
import * as scene from '../dist/testing/scene.js';

const home = new URL('../../contracts/vectors/', import.meta.url);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const { subtle } = webcrypto;
const deps = { sha256, validators: new Validators() };
const channel = 'portolan-demo';
const { noon, at } = scene;
const countries = ['EE', 'PT', 'BE', 'DE'];

// --- keys and trust -------------------------------------------------------------------------------------------------------
async function newKey(use) {
  const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y } = await subtle.exportKey('jwk', pair.publicKey);
  const jwk = { kty, crv, x, y };
  const sign = async (input) => new Uint8Array(await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, input));
  const kid = thumbprint(jwk, sha256);
  return { kid, jwk, use, write: (kind, payload, as = kid) => signJws(kind, as, canonicalJson(payload), sign) };
}
const keys = {};
for (const org of [...countries, 'REG']) {
  keys[org] = {};
  for (const use of ['ledger', 'sign', 'governance']) keys[org][use] = await newKey(use);
}
const pinned = ({ kid, jwk, use }) => ({ kid, use, jwk, notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2028-01-01T00:00:00.000Z' });
const trust = {
  v: 1,
  ledger: 'embedded',
  channel,
  threshold: { numerator: 2, denominator: 3 },
  orderer: { org: 'REG', kid: keys.REG.ledger.kid, jwk: keys.REG.ledger.jwk },
  participants: Object.entries(keys).map(([org, own]) => ({
    org,
    kind: org === 'REG' ? 'regulator' : 'country',
    keys: Object.values(own).map(pinned),
  })),
};

// --- a channel of four countries and a few blocks -------------------------------------------------------------------------
const ledger = new MemoryLedger(deps);
for (const { org, kind } of trust.participants) ledger.must('put-participant', { v: 1, org, kind }, org, at('00:00'));
let previous = sha256Hex(canonicalJson(trust), sha256);
let number = 0;
let made = 0;

async function transaction(org, fn, args, time) {
  const payload = { v: 1, channel, org, role: 'notary', id: uuid(0x9000 + (made += 1)), time, fn, args };
  return { payload, compact: await keys[org].ledger.write('transaction', payload) };
}

/** Orders, executes and attests one block, as an embedded ledger does. */
async function block(time, transactions, attesting = countries) {
  const results = transactions.map(({ payload: { org, role, id, fn, args, time: txTime } }) => {
    const decision = ledger.run(fn, args, { org, role }, txTime);
    return decision.ok ? { txId: id, valid: true } : { txId: id, valid: false, code: decision.code };
  });
  const leaves = transactions.map(({ compact }) => leafHash(utf8(compact), sha256));
  const header = { v: 1, channel, number, previous, txRoot: merkleRoot(leaves, sha256), count: leaves.length, time };
  const headerJws = await keys.REG.ledger.write('block-header', header);
  const resultsText = canonicalJson({ v: 1, number, results });
  const state = [...ledger.state].map(([key, bytes]) => `${key} ${sha256Hex(Buffer.from(bytes).toString(), sha256)}`).sort();
  const attestation = {
    v: 1,
    channel,
    number,
    headerHash: jwsHash(headerJws, sha256),
    resultsHash: sha256Hex(resultsText, sha256),
    stateHash: sha256Hex(state.join('\n'), sha256),
  };
  const attestations = await Promise.all(attesting.map((org) => keys[org].ledger.write('attestation', { ...attestation, org })));
  previous = attestation.headerHash;
  number += 1;
  return { header, headerJws, resultsText, attestation, attestations, transactions, leaves, results };
}

function receiptOf(text, texts, batch, blk, place, more = {}) {
  const leaves = texts.map((one) => leafHash(utf8(one), sha256));
  const index = texts.indexOf(text);
  return {
    v: 1,
    ledger: 'embedded',
    channel,
    leaf: text,
    batch: { ...batch, index, path: inclusionPath(index, leaves, sha256) },
    head: { transaction: blk.transactions[place].compact, index: place, path: inclusionPath(place, blk.leaves, sha256) },
    header: blk.headerJws,
    results: blk.resultsText,
    attestations: blk.attestations,
    ...more,
  };
}
const batchOf = (n, texts) => ({
  n,
  root: merkleRoot(
    texts.map((t) => leafHash(utf8(t), sha256)),
    sha256,
  ),
  count: texts.length,
});

// --- the story: EE permits and releases to PT, PT opens one record and refuses the other ------------------------------------
const salt = base64url(sha256(utf8('a salt for tests')));
const plaintext = '{"resourceType":"Bundle","note":"Mari Näidis, a synthetic person"}';
const parts = ['sealed part one', 'sealed part two', 'sealed part three'].map((part) => leafHash(utf8(part), sha256));
const opening = {
  v: 1,
  salt,
  permitId: scene.permit.id,
  custodian: 'EE',
  recipient: 'PT',
  purpose: 'TREAT',
  until: scene.permit.until,
  ground: 'consent',
  consent: { id: uuid(0x77), version: 1 },
  person: { system: 'urn:example:person-id', value: 'EE-0000001' },
  categories: ['summary', 'laboratory'],
  since: '2020-01-01',
  duties: ['destroy-at-end', 'no-onward-transfer'],
};
const permit = { ...scene.permit, commitment: permitCommitment(canonicalJson(opening), salt, sha256) };
const release = {
  ...scene.released,
  ciphertextHash: sealedRoot(parts, sha256),
  commitment: commit(sha256(utf8('a salt for tests')), utf8(plaintext), sha256),
};
const releases = [canonicalJson(release), ...[1, 2].map((i) => canonicalJson({ ...scene.released, transferId: uuid(0x50 + i) }))];

await block(at('11:00'), [await transaction('EE', 'put-permit', permit, at('11:00'))]);
await block(noon, [await transaction('EE', 'anchor-batch', { v: 1, n: 0, steps: releases.map((leaf) => ({ leaf })) }, noon)]);
const log = Array.from({ length: 7 }, (_, i) => leafHash(utf8(`event ${i}`), sha256));
const eeHead = {
  v: 1,
  org: 'EE',
  seq: 0,
  size: 5,
  root: merkleRoot(log.slice(0, 5), sha256),
  consistency: [],
  batches: [batchOf(0, releases)],
};
const headBlock = await block(
  at('12:01'),
  [
    await transaction('BE', 'put-consent', { v: 1, id: uuid(0x60), custodian: 'BE', commitment: scene.digest }, at('12:01')),
    await transaction('EE', 'put-head', eeHead, at('12:01')),
    await transaction('EE', 'put-head', { ...eeHead, batches: [] }, at('12:01')),
  ],
  ['EE', 'PT', 'DE'],
);

async function answer(i, outcome, more = {}) {
  const { transferId, ciphertextHash } = JSON.parse(releases[i]);
  const payload = {
    v: 1,
    channel,
    transferId,
    from: 'EE',
    to: 'PT',
    predecessor: sha256Hex(releases[i], sha256),
    ciphertextHash,
    outcome,
    ...more,
    time: at('12:02'),
  };
  return { payload, compact: await keys.PT.sign.write('counter-receipt', payload) };
}
const opened = await answer(0, 'received');
const turnedDown = await answer(1, 'refused', { reason: 'opening-mismatch' });
const contradiction = await answer(2, 'received');
const closings = [
  { ...scene.received(opened.payload.predecessor), receiptHash: jwsHash(opened.compact, sha256) },
  {
    ...scene.refused(turnedDown.payload.predecessor),
    transferId: uuid(0x51),
    reason: 'opening-mismatch',
    receiptHash: jwsHash(turnedDown.compact, sha256),
  },
  // A notary may anchor a step that its own signed answer contradicts; the receipt then shows it.
  { ...scene.refused(contradiction.payload.predecessor), transferId: uuid(0x52), receiptHash: jwsHash(contradiction.compact, sha256) },
].map(canonicalJson);
const closingSteps = closings.map((leaf, i) => ({ leaf, after: ledger.proof('EE', 0, releases, i) }));
const closingBatch = { v: 1, n: 0, steps: closingSteps };
await block(at('12:03'), [await transaction('PT', 'anchor-batch', closingBatch, at('12:03'))]);
const ptHead = {
  v: 1,
  org: 'PT',
  seq: 0,
  size: 2,
  root: merkleRoot(log.slice(0, 2), sha256),
  consistency: [],
  batches: [batchOf(0, closings)],
};
const closeBlock = await block(at('12:04'), [await transaction('PT', 'put-head', ptHead, at('12:04'))]);

const receipts = {
  released: receiptOf(releases[0], releases, batchOf(0, releases), headBlock, 1),
  'released-disclosed': receiptOf(releases[0], releases, batchOf(0, releases), headBlock, 1, {
    sealed: parts,
    disclosed: { salt, plaintext },
    counterReceipt: opened.compact,
  }),
  received: receiptOf(closings[0], closings, batchOf(0, closings), closeBlock, 0, { counterReceipt: opened.compact }),
  refused: receiptOf(closings[1], closings, batchOf(0, closings), closeBlock, 0, { counterReceipt: turnedDown.compact }),
};

// --- receipts that a verifier refuses: <step that fails>.<why> ---------------------------------------------------------------
const full = receipts['released-disclosed'];
const other = 'cd'.repeat(32);
const head = JSON.parse(Buffer.from(full.head.transaction.split('.')[1], 'base64url').toString());
const resigned = (change) => keys.EE.ledger.write('transaction', { ...head, ...change });
const inHead = async (change) => ({ ...full, head: { ...full.head, transaction: await resigned(change) } });
const attest = (org, change, by = org) => keys[by].ledger.write('attestation', { ...headBlock.attestation, org, ...change });
const results = JSON.parse(full.results);
const withCounter = async (change, key = keys.PT.sign) => ({
  ...full,
  counterReceipt: await key.write('counter-receipt', { ...opened.payload, ...change }),
});
const refusedReceipts = {
  'schema.unknown-ledger': { ...full, ledger: 'paper' },
  'schema.extra-field': { ...full, note: 'x' },
  'trust.another-channel': { ...full, channel: 'another' },
  'leaf.not-canonical': { ...full, leaf: full.leaf.replace('{', '{ ') },
  'leaf-in-batch.another-leaf': { ...full, leaf: releases[1] },
  'leaf-in-batch.another-index': { ...full, batch: { ...full.batch, index: 2 } },
  'leaf-in-batch.empty-path': { ...full, batch: { ...full.batch, path: [] } },
  'batch-in-head.another-number': { ...full, batch: { ...full.batch, n: 1 } },
  'batch-in-head.another-count': await inHead({ args: { ...eeHead, batches: [{ ...eeHead.batches[0], count: 4 }] } }),
  'batch-in-head.not-a-head': await inHead({ fn: 'put-consent' }),
  'batch-in-head.head-of-another-country': { ...full, head: { ...full.head, transaction: closeBlock.transactions[0].compact } },
  'head-signature.forged': { ...full, head: { ...full.head, transaction: await keys.BE.ledger.write('transaction', head) } },
  'head-signature.governance-role': await inHead({ role: 'governance' }),
  'head-in-block.another-transaction': await inHead({ id: uuid(0x99) }),
  'head-in-block.another-index': { ...full, head: { ...full.head, index: 0 } },
  'header-signature.forged': { ...full, header: await keys.EE.ledger.write('block-header', headBlock.header) },
  'header-signature.another-kid': { ...full, header: await keys.REG.ledger.write('block-header', headBlock.header, keys.EE.ledger.kid) },
  'head-in-block.another-block': { ...full, header: closeBlock.headerJws },
  'head-valid.results-of-another-block': { ...full, results: canonicalJson({ ...results, number: 0 }) },
  'attestations.changed-results': {
    ...full,
    results: canonicalJson({ ...results, results: results.results.map((r) => ({ txId: r.txId, valid: true })) }),
  },
  'attestations.too-few': { ...full, attestations: full.attestations.slice(0, 2) },
  'attestations.one-twice': { ...full, attestations: [full.attestations[0], full.attestations[0], full.attestations[1]] },
  'attestations.forged': { ...full, attestations: [...full.attestations.slice(0, 2), await attest('DE', {}, 'BE')] },
  'attestations.of-a-regulator': { ...full, attestations: [...full.attestations, await attest('REG', {})] },
  'attestations.another-header': { ...full, attestations: [...full.attestations.slice(0, 2), await attest('DE', { headerHash: other })] },
  'attestations.another-state': { ...full, attestations: [...full.attestations.slice(0, 2), await attest('DE', { stateHash: other })] },
  'attestations.another-channel': { ...full, attestations: [...full.attestations.slice(0, 2), await attest('DE', { channel: 'another' })] },
  'ciphertext-hash.another-part': { ...full, sealed: [...parts.slice(0, 2), other] },
  'ciphertext-hash.not-a-release': { ...receipts.received, sealed: parts },
  'commitment-opening.another-plaintext': { ...full, disclosed: { salt, plaintext: plaintext.replace('Mari', 'Mart') } },
  'commitment-opening.another-salt': { ...full, disclosed: { salt: base64url(sha256(utf8('other'))), plaintext } },
  'commitment-opening.nothing-committed': { ...receipts.received, disclosed: { salt, plaintext } },
  'counter-receipt.forged': await withCounter({}, keys.BE.sign),
  'counter-receipt.under-the-ledger-key': await withCounter({}, keys.PT.ledger),
  'counter-receipt.of-another-transfer': await withCounter({ transferId: uuid(0x51) }),
  'counter-receipt.of-another-release': await withCounter({ predecessor: other }),
  'counter-receipt.of-another-ciphertext': await withCounter({ ciphertextHash: other }),
  'counter-receipt.of-another-channel': await withCounter({ channel: 'another' }),
  'counter-receipt.another-one': { ...receipts.received, counterReceipt: (await withCounter({ time: at('12:05') })).counterReceipt },
  'counter-receipt.contradicts-the-step': receiptOf(closings[2], closings, batchOf(0, closings), closeBlock, 0, {
    counterReceipt: contradiction.compact,
  }),
  'counter-receipt.another-kind': { ...full, counterReceipt: await keys.PT.sign.write('attestation', opened.payload) },
};
// The same head once more is refused, and stands in its block all the same.
const again = await block(at('12:06'), [await transaction('EE', 'put-head', eeHead, at('12:06'))]);
refusedReceipts['head-valid.refused'] = receiptOf(releases[0], releases, batchOf(0, releases), again, 0);

// --- one valid and some invalid examples of every schema of the channel -------------------------------------------------------
const { emergency } = scene;
const { jwk, kid } = keys.EE.sign;
const term = { notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2028-01-01T00:00:00.000Z' };
const late = { late: emergency.id, time: at('07:00') };
const digest = scene.digest;
const valid = {
  'step-leaf': {
    released: release,
    'released-late': scene.lateReleased,
    received: JSON.parse(closings[0]),
    refused: JSON.parse(closings[1]),
    expired: scene.expired(digest),
    adopted: { ...scene.adopted(digest), ...late },
  },
  'participant-record': { country: { v: 1, org: 'EE', kind: 'country' } },
  'participant-end-record': { country: { v: 1, org: 'EE' } },
  'key-record': {
    sign: { v: 1, org: 'EE', kid, use: 'sign', jwk, ...term },
    ca: { v: 1, org: 'EE', kid, use: 'ca', cert: `-----BEGIN CERTIFICATE-----\n${'A'.repeat(64)}\n-----END CERTIFICATE-----\n`, ...term },
  },
  'key-end-record': { key: { v: 1, org: 'EE', kid } },
  'policy-record': { policy: { v: 1, org: 'EE', hash: digest } },
  'consent-record': { consent: { v: 1, id: uuid(4), custodian: 'EE', commitment: digest } },
  'permit-record': { treatment: permit, late: { ...scene.emergencyPermit, late: emergency.id } },
  'permit-end-record': { end: { v: 1, permitId: permit.id } },
  'emergency-record': { emergency },
  'emergency-end-record': { end: { v: 1, id: emergency.id } },
  'emergency-review-record': { justified: { v: 1, id: emergency.id, outcome: 'justified', commitment: digest } },
  'misuse-case-record': { case: { v: 1, id: uuid(5), by: 'REG', about: 'EE', commitment: digest } },
  'suspension-record': { suspension: { v: 1, id: uuid(6), by: 'PT', org: 'EE', caseId: uuid(5) } },
  'suspension-end-record': { end: { v: 1, id: uuid(6), by: 'PT', org: 'EE' } },
  'standing-record': { stands: { v: 1, id: uuid(6), stands: true } },
  'batch-record': { batch: { v: 1, org: 'EE', ...batchOf(0, releases) } },
  'head-record': { head: { v: 1, org: 'EE', seq: 0, size: 5, root: eeHead.root, batches: eeHead.batches, nextBatch: 1 } },
  'ledger-entry': { permit: { v: 1, by: 'EE', at: noon, record: permit } },
  'anchor-batch-args': {
    releases: { v: 1, n: 0, steps: releases.map((leaf) => ({ leaf })) },
    closings: closingBatch,
    'same-batch': { v: 1, n: 1, steps: [closingSteps[0], { leaf: closings[1], after: { step: 0 } }] },
  },
  'put-head-args': { head: eeHead },
  'ledger-transaction': { head },
  'block-header': { header: headBlock.header },
  'block-results': { results },
  'block-attestation': { attestation: { ...headBlock.attestation, org: 'EE' } },
  'counter-receipt': { received: opened.payload, refused: turnedDown.payload },
  'permit-opening': { opening },
  'trust-file': { demo: trust },
  receipt: receipts,
};
const broken = {
  'step-leaf': {
    'unknown-step': { ...release, step: 'deleted' },
    'late-without-time': { ...release, late: emergency.id },
    'free-text-reason': { ...JSON.parse(closings[1]), reason: 'patient asked' },
    'with-a-person': { ...release, person: 'x' },
    'grace-of-a-week': { ...release, graceSeconds: 604800 },
  },
  'participant-record': { 'unknown-kind': { v: 1, org: 'EE', kind: 'hospital' } },
  'key-record': {
    'ca-with-jwk': { v: 1, org: 'EE', kid, use: 'ca', jwk, ...term },
    'private-key': { v: 1, org: 'EE', kid, use: 'sign', jwk: { ...jwk, d: jwk.x }, ...term },
  },
  'permit-record': {
    'with-category': { ...permit, categories: ['laboratory'] },
    'with-ground': { ...permit, ground: 'consent' },
    'unknown-purpose': { ...permit, purpose: 'MARKETING' },
  },
  'permit-end-record': { 'with-a-cause': { v: 1, permitId: permit.id, cause: 'withdrawn' } },
  'emergency-record': { 'with-a-reason': { ...emergency, reason: 'unconscious' } },
  'emergency-review-record': { 'unknown-outcome': { v: 1, id: emergency.id, outcome: 'fine', commitment: digest } },
  'batch-record': { 'negative-number': { v: 1, org: 'EE', ...batchOf(0, releases), n: -1 } },
  'anchor-batch-args': {
    empty: { v: 1, n: 0, steps: [] },
    'proof-without-path': { v: 1, n: 0, steps: [{ leaf: closings[0], after: { org: 'EE', n: 0, index: 0, leaf: releases[0] } }] },
  },
  'put-head-args': { 'root-in-capitals': { ...eeHead, root: eeHead.root.toUpperCase() }, 'fractional-size': { ...eeHead, size: 1.5 } },
  'ledger-transaction': { 'unknown-role': { ...head, role: 'admin' }, 'args-are-text': { ...head, args: '{}' } },
  'block-header': { 'too-many-transactions': { ...headBlock.header, count: 501 } },
  'block-results': { 'code-of-no-area': { ...results, results: [{ txId: uuid(1), valid: false, code: 'Bad' }] } },
  'counter-receipt': { 'unknown-outcome': { ...opened.payload, outcome: 'maybe' } },
  'permit-opening': {
    'short-salt': { ...opening, salt: 'AAAA' },
    'no-category': { ...opening, categories: [] },
    'duty-in-prose': { ...opening, duties: ['Please delete'] },
  },
  'trust-file': { 'unknown-ledger': { ...trust, ledger: 'paper' }, 'no-participants': { ...trust, participants: [] } },
  receipt: {
    'unknown-ledger': { ...full, ledger: 'paper' },
    'salt-without-plaintext': { ...full, disclosed: { salt } },
    'no-attestation': { ...full, attestations: [] },
  },
};
for (const [name, cases] of Object.entries(valid)) {
  const [[, first]] = Object.entries(cases);
  const versionless = { ...first };
  delete versionless.v;
  broken[name] = {
    'other-version': { ...first, v: 2 },
    'no-version': versionless,
    'extra-field': { ...first, extra: true },
    ...broken[name],
  };
}

function write(kind, name, cases) {
  const dir = new URL(`${kind}/${name}/`, home);
  mkdirSync(dir, { recursive: true });
  for (const file of readdirSync(dir)) if (!file.includes('fabric-')) rmSync(new URL(file, dir));
  for (const [one, value] of Object.entries(cases)) writeFileSync(new URL(`${one}.json`, dir), canonicalJson(value));
}
for (const [name, cases] of Object.entries(valid)) write('valid', name, cases);
for (const [name, cases] of Object.entries(broken)) write('invalid', name, cases);
write('refused', 'receipt', refusedReceipts);
