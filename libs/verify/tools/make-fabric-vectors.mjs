// Makes the Fabric receipts and their trust file in libs/contracts/vectors, out of the story that the embedded ones tell (made before by
// libs/ledger-rules/tools/make-vectors.mjs): `npx tsc -b libs/verify && node libs/verify/tools/make-fabric-vectors.mjs`. Needs openssl, for
// certificates. Keys and signatures are fresh each time; the files named fabric-real are not made here but taken from a real channel.
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalJson, Validators } from '@portolan/contracts';
import { base64, base64url, bytesOfBase64, contentKey, parseTrust, thumbprint, utf8, verifyReceipt } from '@portolan/verify';
import { envelopeOf, identityOf, message, writeSetOf } from '../dist/testing/fabric-envelope.js';

const home = new URL('../../contracts/vectors/', import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, home), 'utf8'));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const chaincode = 'portolan';
const embedded = read('valid/trust-file/demo.json');
const { channel } = embedded;
const term = { notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2028-01-01T00:00:00.000Z' };

// --- certificates and keys ------------------------------------------------------------------------------------------------
const scratch = mkdtempSync(join(tmpdir(), 'portolan-vectors-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

function certified(org, name) {
  const [keyFile, certFile] = [join(scratch, 'key.pem'), join(scratch, 'cert.pem')];
  const subject = `/O=${org}/CN=${name}.${org.toLowerCase()}.example`;
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', ...ec, '-subj', subject, '-days', '730', '-out', certFile], { stdio: 'ignore' });
  const [key, cert] = [keyFile, certFile].map((file) => readFileSync(file, 'utf8'));
  const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
  const signer = (low) => async (bytes) => der(sign('sha256', bytes, { key: createPrivateKey(key), dsaEncoding: 'ieee-p1363' }), low);
  return { org, cert, jwk: { kty, crv, x, y }, sign: signer(true), signHigh: signer(false) };
}

/** DER of r ‖ s, with the lower or the higher of the two s. */
function der(raw, low) {
  const [r, given] = [raw.subarray(0, 32), raw.subarray(32)].map((part) => BigInt(`0x${part.toString('hex')}`));
  const other = order - given;
  const s = given < other === low ? given : other;
  const body = Buffer.concat([r, s].map(derInteger));
  return new Uint8Array([0x30, body.length, ...body]);
}
function derInteger(value) {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const positive = bytes[0] < 0x80 ? bytes : Buffer.from([0, ...bytes]);
  return Buffer.from([2, positive.length, ...positive]);
}

const notary = {};
const peer = {};
for (const { org } of embedded.participants) [notary[org], peer[org]] = [certified(org, 'notary'), certified(org, 'peer')];
const trust = {
  v: 1,
  ledger: 'fabric',
  channel,
  chaincode,
  otherEndorsers: 1,
  participants: embedded.participants.map(({ org, kind, keys }) => ({
    org,
    kind,
    keys: [
      { kid: thumbprint(notary[org].jwk, sha256), use: 'ledger', jwk: notary[org].jwk, ...term },
      ...keys.filter(({ use }) => use !== 'ledger'),
    ],
    endorsers: kind === 'country' ? [{ cert: peer[org].cert, jwk: peer[org].jwk, ...term }] : [],
  })),
};

// --- heads, as the chaincode writes them ----------------------------------------------------------------------------------------
const headIn = (receipt) => JSON.parse(Buffer.from(receipt.head.transaction.split('.')[1], 'base64url').toString());
const entryOf = ({ org, args, time }, change = {}) => {
  const { v, seq, size, root, batches } = args;
  const record = { v, org, seq, size, root, batches, nextBatch: batches.length, ...change };
  return utf8(canonicalJson({ v: 1, by: org, at: time, record }));
};

const openKey = (key, value) => contentKey(key, sha256(value).toString('hex'));

/** What a head reads and writes; where a batch lies its value says, which a receipt does not hold. */
function effects(head) {
  const { org, id, args } = head;
  const value = entryOf(head);
  return {
    chaincode,
    reads: [
      { key: `${org}/head/${args.seq}`, found: false },
      ...args.batches.map((batch) => ({ key: openKey(`${org}/batch/${batch.n}`, utf8(canonicalJson(batch))), found: true })),
    ],
    writes: [{ key: openKey(`${org}/head/${args.seq}`, value), value }],
    owned: [
      { owner: org, key: `head/${args.seq}`, value },
      { owner: org, key: `tx/${id}`, value: utf8('put-head') },
    ],
  };
}

function partsOf(head, { set = {}, ...change } = {}) {
  const { org, id, fn, args, time } = head;
  return {
    channel,
    chaincode,
    seconds: Date.parse(time) / 1000,
    nonce: sha256(utf8(id)).subarray(0, 24),
    args: [fn, id, JSON.stringify(args)],
    results: writeSetOf({ ...effects(head), ...set }, sha256),
    creator: notary[org],
    endorsers: [peer[org], peer[org === 'EE' ? 'PT' : 'EE']],
    ...change,
  };
}

async function receiptOf(from, change = {}) {
  const { leaf, batch, sealed, disclosed, counterReceipt } = from;
  const envelope = base64(await envelopeOf(partsOf(headIn(from), change), sha256));
  const more = { ...(sealed && { sealed }), ...(disclosed && { disclosed }), ...(counterReceipt && { counterReceipt }) };
  return { v: 1, ledger: 'fabric', channel, leaf, batch, head: { envelope }, ...more };
}

const source = read('valid/receipt/released-disclosed.json');
const full = await receiptOf(source);
const receipts = { 'fabric-released-disclosed': full };
for (const name of ['released', 'received', 'refused']) receipts[`fabric-${name}`] = await receiptOf(read(`valid/receipt/${name}.json`));

// --- receipts that a verifier refuses: <step that fails>.<why> ----------------------------------------------------------------
const head = headIn(source);
const { org, args } = head;
const own = effects(head);
const other = 'cd'.repeat(32);
const changed = (change) => receiptOf(source, change);
const set = (change) => changed({ set: change });
const instead = (change) => changed({ instead: change });
const inBytes = (edit) => ({ ...full, head: { envelope: base64(edit(bytesOfBase64(full.head.envelope))) } });
const asked = (change) => changed({ args: ['put-head', head.id, JSON.stringify({ ...args, ...change })] });
const value = own.writes[0].value;
const written = (bytes) => ({
  writes: [{ key: openKey(`${org}/head/${args.seq}`, bytes), value: bytes }],
  owned: [{ ...own.owned[0], value: bytes }, own.owned[1]],
});
const foreign = message([1, 'other'], [2, message([3, message([1, 'key'], [3, utf8('value')])])]);
const batchText = JSON.stringify({ v: 1, n: 0, steps: [{ leaf: source.leaf }] });
const batchRecord = utf8(canonicalJson({ v: 1, by: org, at: head.time, record: { v: 1, org, ...args.batches[0] } }));
const high = (signer) => ({ ...signer, sign: signer.signHigh });

const refused = {
  'schema.fabric-no-envelope': { ...full, head: {} },
  'schema.fabric-with-a-block': { ...full, head: { ...full.head, block: 7 } },
  'trust.fabric-another-channel': { ...full, channel: 'another' },
  'leaf-in-batch.fabric-another-index': { ...full, batch: { ...full.batch, index: 2 } },
  'envelope.fabric-base64-of-another-form': { ...full, head: { envelope: full.head.envelope.replace(/.=*$/, '') } },
  'envelope.fabric-another-channel': await changed({ channel: 'another' }),
  'envelope.fabric-another-kind': await instead({ type: 1 }),
  'envelope.fabric-another-epoch': await instead({ epoch: 1 }),
  'envelope.fabric-another-id': await instead({ txId: other }),
  'envelope.fabric-two-actions': await instead({ actions: 2 }),
  'envelope.fabric-no-action': await instead({ actions: 0 }),
  'envelope.fabric-cut-off': inBytes((bytes) => bytes.subarray(0, -1)),
  'envelope.fabric-a-byte-behind': inBytes((bytes) => Buffer.concat([bytes, Buffer.from([0])])),
  'envelope.fabric-an-unknown-field': inBytes((bytes) => Buffer.concat([bytes, message([3, 'x'])])),
  'envelope.fabric-two-signatures': inBytes((bytes) => Buffer.concat([bytes, message([2, 'x'])])),
  'head-signature.fabric-forged': await changed({ creator: { ...notary.BE, ...{ org, cert: notary[org].cert } } }),
  'head-signature.fabric-unregistered-key': await changed({ creator: certified(org, 'notary') }),
  'head-signature.fabric-by-a-peer': await changed({ creator: peer[org] }),
  'head-signature.fabric-of-another-country': await changed({ creator: notary.PT }),
  'head-signature.fabric-high-s': await changed({ creator: high(notary[org]) }),
  // A batch that was endorsed by all that must, and of which nobody says whether it was valid: no head read it.
  'proposal.fabric-a-batch-that-no-head-read': await changed({
    args: ['anchor-batch', head.id, batchText],
    set: {
      writes: [{ key: openKey(`${org}/batch/0`, batchRecord), value: batchRecord }],
      owned: [{ owner: org, key: 'batch/0', value: batchRecord }, own.owned[1]],
    },
  }),
  'proposal.fabric-another-function': await changed({ args: ['put-consent', head.id, JSON.stringify(args)] }),
  'proposal.fabric-another-proposal': await instead({ proposalHash: sha256(utf8('other')) }),
  'proposal.fabric-another-chaincode': await changed({ chaincode: 'another' }),
  'proposal.fabric-another-chaincode-ran': await instead({ ran: 'another' }),
  'proposal.fabric-the-head-was-refused': await instead({ status: 500 }),
  'proposal.fabric-action-of-another': await instead({ actionHeader: message([1, identityOf(notary.PT)], [2, 'nonce']) }),
  'proposal.fabric-head-of-another-country': await asked({ org: 'PT' }),
  'proposal.fabric-an-argument-more': await changed({ args: ['put-head', head.id, JSON.stringify(args), 'x'] }),
  'write-set.fabric-another-key': await set({ writes: [{ ...own.writes[0], key: openKey(`${org}/head/1`, value) }] }),
  'write-set.fabric-two-writes': await set({ writes: [...own.writes, { key: openKey(`${org}/head/1`, value), value }] }),
  'write-set.fabric-without-the-owners-word': await set({ owned: [own.owned[1]] }),
  'write-set.fabric-in-anothers-collection': await set({ owned: own.owned.map((one) => ({ ...one, owner: 'PT' })) }),
  'write-set.fabric-the-owners-word-differs': await set({ owned: [{ ...own.owned[0], value: utf8('other') }, own.owned[1]] }),
  'write-set.fabric-another-namespace-too': await set({ more: [foreign] }),
  'write-set.fabric-one-namespace-twice': await set({ more: [message([1, chaincode])] }),
  'write-set.fabric-of-another-time': await set(written(entryOf({ ...head, time: '2026-11-21T12:00:59.999Z' }))),
  'write-set.fabric-of-another-owner': await set(written(Buffer.from(Buffer.from(value).toString().replace('"by":"EE"', '"by":"PT"')))),
  'write-set.fabric-not-what-was-asked': await set(written(entryOf(head, { root: other }))),
  'write-set.fabric-not-canonical': await set(written(Buffer.from(Buffer.from(value).toString().replace('{', '{ ')))),
  'batch-in-head.fabric-another-number': { ...full, batch: { ...full.batch, n: 1 } },
  'batch-in-head.fabric-never-read': await set({ reads: own.reads.filter(({ found }) => !found) }),
  'batch-in-head.fabric-read-and-not-found': await set({ reads: own.reads.map(({ key }) => ({ key, found: false })) }),
  'endorsements.fabric-owner-alone': await changed({ endorsers: [peer[org]] }),
  'endorsements.fabric-owner-twice': await changed({ endorsers: [peer[org], peer[org]] }),
  'endorsements.fabric-another-twice': await changed({ endorsers: [peer[org], peer.PT, peer.PT] }),
  'endorsements.fabric-owner-missing': await changed({ endorsers: [peer.PT, peer.BE] }),
  'endorsements.fabric-none': await changed({ endorsers: [] }),
  'endorsements.fabric-of-a-regulator': await changed({ endorsers: [peer[org], peer.REG] }),
  'endorsements.fabric-another-certificate': await changed({ endorsers: [peer[org], certified('PT', 'peer')] }),
  'endorsements.fabric-in-anothers-name': await changed({ endorsers: [peer[org], { ...peer.PT, org: 'BE' }] }),
  'endorsements.fabric-forged': await changed({ endorsers: [peer[org], { ...peer.PT, sign: peer.BE.sign }] }),
  'endorsements.fabric-one-more-forged': await changed({ endorsers: [peer[org], peer.PT, { ...peer.DE, sign: peer.BE.sign }] }),
  'endorsements.fabric-high-s': await changed({ endorsers: [peer[org], high(peer.PT)] }),
  'ciphertext-hash.fabric-another-part': { ...full, sealed: [...full.sealed.slice(0, 2), other] },
  'commitment-opening.fabric-another-salt': { ...full, disclosed: { ...full.disclosed, salt: base64url(sha256(utf8('other'))) } },
  'counter-receipt.fabric-of-another-release': {
    ...full,
    counterReceipt: read('refused/receipt/counter-receipt.of-another-release.json').counterReceipt,
  },
};

// --- files -----------------------------------------------------------------------------------------------------------------------
const versionless = { ...full };
delete versionless.v;
const made = {
  'valid/receipt': receipts,
  'valid/trust-file': { 'fabric-demo': trust },
  'refused/receipt': refused,
  'invalid/receipt': {
    'fabric-no-version': versionless,
    'fabric-extra-field': { ...full, extra: true },
    'fabric-with-attestations': { ...full, attestations: source.attestations },
    'fabric-envelope-in-base64url': { ...full, head: { envelope: 'ab-_' } },
  },
  'invalid/trust-file': {
    'fabric-owner-is-enough': { ...trust, otherEndorsers: 0 },
    'fabric-no-endorsers': { ...trust, participants: [{ org: 'EE', kind: 'country', keys: [] }] },
    'fabric-endorser-without-key': {
      ...trust,
      participants: [{ org: 'EE', kind: 'country', keys: [], endorsers: [{ cert: peer.EE.cert, ...term }] }],
    },
    'fabric-with-orderer': { ...trust, orderer: embedded.orderer },
  },
};

const deps = { sha256, subtle: globalThis.crypto.subtle, validators: new Validators() };
const pinned = parseTrust(canonicalJson(trust), deps.validators);
for (const [name, receipt] of Object.entries({ ...receipts, ...refused })) {
  const { ok, steps } = await verifyReceipt(canonicalJson(receipt), pinned, deps);
  const failed = steps.find((step) => !step.ok);
  if (ok ? name.includes('.') : failed.step !== name.split('.')[0]) throw new Error(`${name}: ${JSON.stringify(steps)}`);
}
for (const [folder, cases] of Object.entries(made)) {
  const dir = new URL(`${folder}/`, home);
  for (const file of readdirSync(dir)) {
    if (file.includes('fabric-') && !file.includes('fabric-real')) rmSync(new URL(file, dir));
  }
  for (const [name, content] of Object.entries(cases)) writeFileSync(new URL(`${name}.json`, dir), canonicalJson(content));
}
