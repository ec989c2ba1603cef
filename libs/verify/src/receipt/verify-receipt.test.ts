import { createHash, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Validators, type EmbeddedReceipt, type EmbeddedTrust, type FabricTrust, type TrustFile } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import type { ReceiptReport } from './report.js';
import { parseTrust } from './trust.js';
import { verifyReceipt } from './verify-receipt.js';

const vectors = new URL('../../../contracts/vectors/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, vectors), 'utf8');
const names = (folder: string): string[] => readdirSync(new URL(folder, vectors)).map((file) => file.replace('.json', ''));
const deps = {
  sha256: (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest(),
  subtle: globalThis.crypto.subtle,
  validators: new Validators(),
};
const trust = parseTrust(read('valid/trust-file/demo.json'), deps.validators) as EmbeddedTrust;
const fabricTrust = parseTrust(read('valid/trust-file/fabric-demo.json'), deps.validators) as FabricTrust;
const realTrust = parseTrust(read('valid/trust-file/fabric-real.json'), deps.validators) as FabricTrust;
/** What is pinned for a vector, by its name. */
const trustFor = (name: string): TrustFile =>
  name.startsWith('fabric-real-') ? realTrust : name.includes('fabric-') ? fabricTrust : trust;
const failedStep = ({ ok, steps }: ReceiptReport): string => (ok ? 'none' : (steps.at(-1)?.step ?? 'none'));

describe('a receipt that holds', () => {
  it.each(names('valid/receipt/'))('%s', async (name) => {
    const report = await verifyReceipt(read(`valid/receipt/${name}.json`), trustFor(name), deps);
    expect(report.steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(report).toMatchObject({ ok: true, leaf: { step: name.replace(/^fabric-(real-)?|-disclosed$/g, '') } });
  });
  it('looks at everything that is disclosed', async () => {
    const report = await verifyReceipt(read('valid/receipt/released-disclosed.json'), trust, deps);
    expect(report.steps.map(({ step }) => step)).toEqual([
      'form',
      'schema',
      'trust',
      'leaf',
      'leaf-in-batch',
      'batch-in-head',
      'head-signature',
      'head-in-block',
      'header-signature',
      'head-valid',
      'attestations',
      'ciphertext-hash',
      'commitment-opening',
      'counter-receipt',
    ]);
  });
  it('looks at everything of a Fabric receipt, too', async () => {
    const report = await verifyReceipt(read('valid/receipt/fabric-released-disclosed.json'), fabricTrust, deps);
    expect(report.steps.map(({ step }) => step)).toEqual([
      'form',
      'schema',
      'trust',
      'leaf',
      'leaf-in-batch',
      'envelope',
      'head-signature',
      'proposal',
      'write-set',
      'batch-in-head',
      'endorsements',
      'ciphertext-hash',
      'commitment-opening',
      'counter-receipt',
    ]);
  });
  it('may be given parsed', async () => {
    const report = await verifyReceipt(JSON.parse(read('valid/receipt/released.json')), trust, deps);
    expect(report.ok).toBe(true);
    expect(report.steps[0]?.step).toBe('schema');
  });
});

describe('a receipt is refused, and the step is named', () => {
  it.each(names('refused/receipt/'))('%s', async (name) => {
    const report = await verifyReceipt(read(`refused/receipt/${name}.json`), trustFor(name), deps);
    expect(failedStep(report)).toBe(name.split('.')[0]);
    expect(report.leaf).toBeUndefined();
  });

  const good = JSON.parse(read('valid/receipt/released-disclosed.json')) as EmbeddedReceipt;
  it('one country counted twice beside enough others', async () => {
    const report = await verifyReceipt({ ...good, attestations: [...good.attestations, good.attestations[0]] }, trust, deps);
    expect(report.steps.at(-1)).toEqual({ step: 'attestations', ok: false, detail: 'EE attests twice' });
  });
  it.each([
    ['a number', 7],
    ['null', null],
    ['nothing', undefined],
    ['a list', []],
    ['no JSON', '{'],
    ['an empty text', ''],
    ['a text with a new line', `${JSON.stringify(good)}\n`],
    ['a text with a key twice', read('valid/receipt/released.json').replace('{', '{"v":1,')],
    ['a nested mountain', '['.repeat(100_000)],
  ])('%s', async (_, receipt) => {
    expect(['form', 'schema']).toContain(failedStep(await verifyReceipt(receipt, trust, deps)));
  });
});

describe('what is pinned decides', () => {
  const receipt = read('valid/receipt/released-disclosed.json');
  const editKeys = (org: string, change: object): TrustFile => ({
    ...trust,
    participants: trust.participants.map((p) => (p.org === org ? { ...p, keys: p.keys.map((key) => ({ ...key, ...change })) } : p)),
  });
  const stranger = trust.participants[1]!.keys[0]!;
  it.each([
    ['another channel', { ...trust, channel: 'another' }, 'trust'],
    ['no country', { ...trust, participants: trust.participants.filter(({ kind }) => kind === 'regulator') }, 'trust'],
    ['a threshold above all', { ...trust, threshold: { numerator: 3, denominator: 2 } }, 'trust'],
    ['another orderer', { ...trust, orderer: { org: 'REG', kid: stranger.kid, jwk: stranger.jwk } }, 'header-signature'],
    ['another key under the kid of the orderer', { ...trust, orderer: { ...trust.orderer, jwk: stranger.jwk } }, 'header-signature'],
    ['all must attest', { ...trust, threshold: { numerator: 1, denominator: 1 } }, 'attestations'],
    ['the sender is not pinned', { ...trust, participants: trust.participants.filter(({ org }) => org !== 'EE') }, 'head-signature'],
    ['its key ended before', editKeys('EE', { ended: '2026-11-21T11:59:00.000Z' }), 'head-signature'],
    ['its key was not yet valid', editKeys('EE', { notBefore: '2026-11-22T00:00:00.000Z' }), 'head-signature'],
    ['its key was no longer valid', editKeys('EE', { notAfter: '2026-11-21T12:00:00.000Z' }), 'head-signature'],
    ['an attesting key ended before', editKeys('DE', { ended: '2026-11-21T12:00:00.000Z' }), 'attestations'],
    ["the receiver's key ended before it answered", editKeys('PT', { ended: '2026-11-21T12:01:30.000Z' }), 'counter-receipt'],
    ['every key has ended since', editKeys('EE', { ended: '2026-11-22T00:00:00.000Z' }), 'none'],
  ] as const)('%s: %s', async (_, pinned, step) => {
    expect(failedStep(await verifyReceipt(receipt, pinned as TrustFile, deps))).toBe(step);
  });
  const fabric = read('valid/receipt/fabric-released-disclosed.json');
  const editFabric = (org: string, change: (one: FabricTrust['participants'][number]) => object): FabricTrust => ({
    ...fabricTrust,
    participants: fabricTrust.participants.map((one) => (one.org === org ? { ...one, ...change(one) } : one)),
  });
  const keysOf =
    (change: object) =>
    ({ keys }: FabricTrust['participants'][number]): object => ({ keys: keys.map((key) => ({ ...key, ...change })) });
  const endorsersOf =
    (change: object) =>
    ({ endorsers }: FabricTrust['participants'][number]): object => ({ endorsers: endorsers.map((one) => ({ ...one, ...change })) });
  const otherJwk = fabricTrust.participants[3]!.endorsers[0]!.jwk;
  it.each([
    ['the embedded ledger', trust, 'trust'],
    ['another channel', { ...fabricTrust, channel: 'another' }, 'trust'],
    ['more countries than there are', { ...fabricTrust, otherEndorsers: 4 }, 'trust'],
    ['another chaincode', { ...fabricTrust, chaincode: 'another' }, 'proposal'],
    ['two countries beside the owner', { ...fabricTrust, otherEndorsers: 2 }, 'endorsements'],
    ['the owner is not pinned', { ...fabricTrust, participants: fabricTrust.participants.slice(1) }, 'head-signature'],
    ["the notary's key ended before", editFabric('EE', keysOf({ ended: '2026-11-21T12:01:00.000Z' })), 'head-signature'],
    ["the notary's key was not yet valid", editFabric('EE', keysOf({ notBefore: '2026-11-22T00:00:00.000Z' })), 'head-signature'],
    ["the notary's key is for another use", editFabric('EE', keysOf({ use: 'sign' })), 'head-signature'],
    ['an endorsing certificate ended before', editFabric('PT', endorsersOf({ ended: '2026-11-21T12:01:00.000Z' })), 'endorsements'],
    [
      'an endorsing certificate was no longer valid',
      editFabric('PT', endorsersOf({ notAfter: '2026-11-21T12:01:00.000Z' })),
      'endorsements',
    ],
    ['another key beside the certificate', editFabric('PT', endorsersOf({ jwk: otherJwk })), 'endorsements'],
    ["an endorser's key that is no point", editFabric('PT', endorsersOf({ jwk: { ...otherJwk, x: 'A'.repeat(43) } })), 'endorsements'],
    ['the other endorser is no country', editFabric('PT', () => ({ kind: 'regulator' })), 'endorsements'],
    ["the receiver's key ended before it answered", editFabric('PT', keysOf({ ended: '2026-11-21T12:01:30.000Z' })), 'counter-receipt'],
    ['every key has ended since', editFabric('EE', keysOf({ ended: '2026-11-22T00:00:00.000Z' })), 'none'],
  ] as const)('of Fabric, %s: %s', async (_, pinned, step) => {
    expect(failedStep(await verifyReceipt(fabric, pinned as TrustFile, deps))).toBe(step);
  });
  it('of Fabric does not verify an embedded receipt', async () => {
    expect(failedStep(await verifyReceipt(receipt, fabricTrust, deps))).toBe('trust');
  });
  it('of Fabric has the key of each certificate beside it', () => {
    const pinned = [fabricTrust, realTrust].flatMap(({ participants }) => participants.flatMap(({ endorsers }) => endorsers));
    expect(pinned.length).toBeGreaterThan(4);
    for (const { cert, jwk } of pinned) {
      expect(new X509Certificate(cert).publicKey.export({ format: 'jwk' })).toEqual(jwk);
    }
  });
  it('is not a trust file', () => expect(() => parseTrust('{"v":1}', deps.validators)).toThrow('verify.payload-malformed'));
});
