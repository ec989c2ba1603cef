import { generateKeyPairSync, randomBytes, randomUUID, sign as signWith, webcrypto } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { canonicalJson, Validators, type Receipt } from '@portolan/contracts';
import type { CommittedTx, Validity } from '@portolan/domain';
import {
  EmbeddedLedger,
  EmbeddedOrderer,
  makeGenesis,
  MemoryLedgerCopyStore,
  MemoryOrdererStore,
  OrdererDoor,
  signRegistryAct,
  TlsOrdererLink,
  type FoundingOrganisation,
  type Governance,
} from '@portolan/embedded-ledger';
import { JoseSigner } from '@portolan/jose';
import { FileKeyVault, sha256, SystemClock } from '@portolan/keys';
import { commit, leafHash, merkleRoot, sealedRoot, thumbprint, utf8, verifyReceipt } from '@portolan/verify';
import { X509Authorities, type X509Authority } from '@portolan/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const clock = new SystemClock();
const validators = new Validators();
const host = '127.0.0.1';
const countries = ['EE', 'PT', 'BE', 'DE'] as const;
const days = (from: number, to: number): Validity => ({
  notBefore: new Date(Date.now() + from * 86_400_000).toISOString(),
  notAfter: new Date(Date.now() + to * 86_400_000).toISOString(),
});

interface Organisation {
  readonly org: string;
  readonly vault: FileKeyVault;
  readonly governance: Governance & Validity;
  readonly founding: FoundingOrganisation;
  readonly tls: { readonly kid: string; readonly key: string };
}

/** The governance key lies outside every vault: no running process holds it. */
function governanceOf(org: string): Governance & Validity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sign = (bytes: Uint8Array): Promise<Uint8Array> =>
    Promise.resolve(signWith('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' }) as Governance['jwk'];
  return { org, jwk: { kty, crv, x, y }, sign, ...days(-1, 365) };
}

async function organisation(org: string, folder: string): Promise<Organisation> {
  const vault = new FileKeyVault({ folder: join(folder, org), clock });
  const [ledger, tls] = [await vault.generate('ledger', days(-1, 30)), await vault.generate('tls', days(-1, 30))];
  const governance = governanceOf(org);
  const keys = [ledger, tls].map(({ use, publicJwk: jwk, notBefore, notAfter }) => ({ use, jwk, notBefore, notAfter }));
  const kind = org === 'REG' ? ('regulator' as const) : ('country' as const);
  return { org, vault, governance, founding: { kind, governance, keys }, tls: { kid: tls.kid, key: await vault.tlsKeyPem(tls.kid) } };
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

describe('the embedded ledger over mutual TLS, four countries and an orderer', () => {
  let folder: string;
  let authority: X509Authority;
  let regulator: Organisation;
  let server: { readonly key: string; readonly cert: string };
  let orderer: EmbeddedOrderer;
  let door: OrdererDoor;
  let genesis: string;
  const orgs = new Map<string, Organisation>();
  const ledgers = new Map<string, EmbeddedLedger>();
  const closing: (() => unknown)[] = [];

  const at = (org: string): EmbeddedLedger => ledgers.get(org)!;
  /** The certificate that the orderer's organisation issued to a key, and what a client needs beside it. */
  const clientTls = async (org: string, tls: { kid: string; key: string }, publicJwk: Governance['jwk'], by = authority) => ({
    key: tls.key,
    cert: await by.issuePartner({ org, kid: tls.kid, publicJwk }, days(-1, 30)),
    ca: [authority.certificatePem],
  });
  const tlsOf = async (org: string) => {
    const { tls, vault } = orgs.get(org)!;
    return clientTls(org, tls, (await vault.current('tls')).publicJwk);
  };
  const linkOf = async (org: string): Promise<TlsOrdererLink> => {
    const link = new TlsOrdererLink({ host, port: door.address.port, tls: await tlsOf(org), validators });
    closing.unshift(() => link.close());
    return link;
  };
  const committed = async (org: string, id: string): Promise<CommittedTx> => {
    const end = Date.now() + 10_000;
    for (;;) {
      const outcome = await at(org).outcome(id);
      if (outcome !== undefined) return outcome;
      if (Date.now() > end) throw new Error(`${id} did not come to ${org}`);
      await at(org).beyond(await at(org).height(), 100);
    }
  };
  const everywhere = (id: string): Promise<CommittedTx[]> => Promise.all(countries.map((org) => committed(org, id)));
  const act = async (org: string, fn: string, args: unknown): Promise<CommittedTx> => {
    const id = randomUUID();
    await at(org).submit({ id, fn, args });
    const outcome = (await everywhere(id))[0]!;
    expect(outcome).toMatchObject({ valid: true });
    return outcome;
  };
  const permit = (custodian: string, recipient: string) => ({
    v: 1,
    id: randomUUID(),
    custodian,
    recipient,
    purpose: 'TREAT',
    until: days(0, 1).notAfter,
    commitment: 'ab'.repeat(32),
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-ledger-'));
    const authorities = new X509Authorities();
    authority = await authorities.open(await authorities.create({ country: undefined, commonName: 'REG orderer' }, days(-1, 365)));
    regulator = await organisation('REG', folder);
    for (const org of countries) orgs.set(org, await organisation(org, folder));
    genesis = await makeGenesis({
      channel: 'trial',
      time: new Date().toISOString(),
      orderer: { org: 'REG', jwk: (await regulator.vault.current('ledger')).publicJwk },
      organisations: [regulator, ...orgs.values()].map(({ founding }) => founding),
      uuid: () => randomUUID(),
    });
    orderer = await EmbeddedOrderer.start({
      genesis,
      store: new MemoryOrdererStore(),
      copy: new MemoryLedgerCopyStore(),
      signer: new JoseSigner(regulator.vault),
      clock,
      validators,
    });
    const serverKey = await regulator.vault.current('tls');
    server = {
      key: regulator.tls.key,
      cert: await authority.issueServer({ commonName: 'orderer', hosts: [host] }, serverKey.publicJwk, days(-1, 30)),
    };
    door = await OrdererDoor.listen({ host, port: 0, tls: { ...server, ca: [authority.certificatePem] }, orderer, validators });
    for (const org of countries) {
      const signer = new JoseSigner(orgs.get(org)!.vault);
      const ledger = await EmbeddedLedger.open({
        org,
        genesis,
        store: new MemoryLedgerCopyStore(),
        orderer: await linkOf(org),
        signer,
        clock,
        validators,
      });
      ledgers.set(org, ledger);
      closing.unshift(() => ledger.close());
    }
  });
  afterAll(async () => {
    for (const close of closing) await close();
    await door.close();
    await orderer.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('brings an act to every copy within 600 ms at the median', async () => {
    const took: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      const begun = performance.now();
      await act('EE', 'put-permit', permit('EE', 'PT'));
      took.push(performance.now() - begun);
    }
    expect(median(took)).toBeLessThan(600);
  });

  it('carries a few hundred acts of all countries in few blocks, each once, and everybody agrees', async () => {
    const before = await at('EE').height();
    const calls = Array.from({ length: 200 }, (_, i) => countries[i % 4]!).map((org) => ({
      org,
      call: { id: randomUUID(), fn: 'put-permit', args: permit(org, org === 'EE' ? 'PT' : 'EE') },
    }));
    await Promise.all(calls.map(({ org, call }) => at(org).submit(call)));
    for (const { call } of calls) expect(await committed('DE', call.id)).toMatchObject({ valid: true });
    const blocks = await at('DE').blocks(before + 1, 1000);
    expect(blocks.flatMap(({ transactions }) => transactions.map(({ id }) => id)).sort()).toEqual(calls.map(({ call }) => call.id).sort());
    expect(blocks.length).toBeLessThan(20);
    expect(await at('PT').divergences()).toEqual([]);
  });

  it('gives a receipt that anybody verifies offline with the trust file alone, and no altered one', async () => {
    const parts = [leafHash(utf8('sealed part'), sha256)];
    const [salt, plaintext] = [new Uint8Array(randomBytes(32)), '{"resourceType":"Bundle"}'];
    const { id: permitId } = (await act('EE', 'put-permit', permit('EE', 'PT'))).args as { id: string };
    const leaf = canonicalJson({
      v: 1,
      step: 'released',
      transferId: randomUUID(),
      from: 'EE',
      to: 'PT',
      by: 'EE',
      permitId,
      ciphertextHash: sealedRoot(parts, sha256),
      commitment: commit(salt, utf8(plaintext), sha256),
      limit: new Date(Date.now() + 3_600_000).toISOString(),
      graceSeconds: 600,
    });
    const anchored = await act('EE', 'anchor-batch', { v: 1, n: 0, steps: [{ leaf }] });
    const { transferId } = JSON.parse(leaf) as { transferId: string };
    expect(anchored.verdicts).toEqual([{ transferId, step: 'released', accepted: true, position: 0 }]);
    const root = merkleRoot([leafHash(utf8(leaf), sha256)], sha256);
    const logRoot = merkleRoot([leafHash(utf8('event'), sha256)], sha256);
    const head = { v: 1, org: 'EE', seq: 0, size: 1, root: logRoot, consistency: [], batches: [{ n: 0, root, count: 1 }] };
    const { id: headTx } = await act('EE', 'put-head', head);

    const evidence = await provedOn('PT', headTx);
    const receipt: Receipt = {
      ...evidence,
      leaf,
      batch: { n: 0, root, count: 1, index: 0, path: [] },
      sealed: parts,
      disclosed: { salt: Buffer.from(salt).toString('base64url'), plaintext },
    };
    const text = canonicalJson(receipt);
    const trust = await at('BE').trustFile();
    const deps = { sha256, subtle: webcrypto.subtle, validators };
    expect(await verifyReceipt(text, trust, deps)).toMatchObject({ ok: true, leaf: { transferId } });
    for (let at = 40; at < text.length; at += Math.ceil(text.length / 60)) {
      const altered = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
      expect(await verifyReceipt(altered, trust, deps), `byte ${String(at)}`).toMatchObject({ ok: false });
    }
    const fewer = { ...receipt, attestations: receipt.attestations.slice(0, 2) };
    expect((await verifyReceipt(fewer, trust, deps)).steps.at(-1)).toMatchObject({ step: 'attestations', ok: false });
  });

  const provedOn = async (org: string, id: string) => {
    const end = Date.now() + 10_000;
    for (;;) {
      const evidence = await at(org).evidence(id);
      if (evidence !== undefined) return evidence;
      if (Date.now() > end) throw new Error('not proved');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  describe('its door', () => {
    const pair = (): { tls: { kid: string; key: string }; jwk: Governance['jwk'] } => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const { kty, crv, x, y } = publicKey.export({ format: 'jwk' }) as Governance['jwk'];
      const jwk = { kty, crv, x, y };
      return { tls: { kid: thumbprint(jwk, sha256), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }, jwk };
    };
    const refusal = async (tls: object, method: string, path: string, body?: string): Promise<{ status: number; code: string }> =>
      new Promise((resolve, reject) => {
        const sent = request({ host, port: door.address.port, method, path, agent: false, ...tls }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, code: (JSON.parse(text) as { code: string }).code }));
        });
        sent.on('error', reject);
        sent.end(body);
      });

    it('lets nobody in without a certificate of its authority', async () => {
      const authorities = new X509Authorities();
      const stranger = await authorities.open(await authorities.create({ country: undefined, commonName: 'REG orderer' }, days(-1, 365)));
      const { vault, tls } = orgs.get('EE')!;
      const forged = await clientTls('EE', tls, (await vault.current('tls')).publicJwk, stranger);
      await expect(refusal(forged, 'GET', '/blocks?from=0')).rejects.toThrow();
      await expect(refusal({ ca: [authority.certificatePem] }, 'GET', '/blocks?from=0')).rejects.toThrow();
    });

    it('knows who it is by the registered key, whatever name the certificate bears', async () => {
      const { tls, jwk } = pair();
      const named = await clientTls('EE', tls, jwk);
      expect(await refusal(named, 'GET', '/blocks?from=0')).toEqual({ status: 403, code: 'orderer.client-unknown' });
    });

    it('speaks TLS 1.3 alone', async () => {
      const socket: TLSSocket = connect({ host, port: door.address.port, ...(await tlsOf('EE')), maxVersion: 'TLSv1.2' });
      await expect(
        new Promise((resolve, reject) => {
          socket.on('secureConnect', resolve);
          socket.on('error', reject);
        }),
      ).rejects.toThrow();
    });

    it("refuses another country's transaction, and bodies that are none, each with its code", async () => {
      const tls = await tlsOf('EE');
      const id = randomUUID();
      const payload = {
        v: 1,
        channel: 'trial',
        org: 'PT',
        role: 'notary',
        id,
        time: new Date().toISOString(),
        fn: 'put-permit',
        args: permit('PT', 'EE'),
      };
      const ofPt = await new JoseSigner(orgs.get('PT')!.vault).sign('ledger', 'portolan-transaction+jws', canonicalJson(payload));
      const rows: readonly [string, string, string | undefined, number, string][] = [
        ['POST', '/tx', ofPt, 403, 'orderer.foreign-transaction'],
        ['POST', '/tx', 'hello', 422, 'ledger.transaction-malformed'],
        ['POST', '/tx', '', 422, 'ledger.transaction-malformed'],
        ['POST', '/tx', 'x'.repeat(1_000_001), 413, 'orderer.too-large'],
        ['POST', '/attestations', '{', 422, 'orderer.request-malformed'],
        ['POST', '/attestations', '{"v":1,"attestations":[]}', 422, 'orderer.request-malformed'],
        ['POST', '/attestations', '['.repeat(100_000), 422, 'orderer.request-malformed'],
        ['POST', '/attestations', canonicalJson({ v: 1, attestations: [ofPt] }), 422, 'verify.payload-malformed'],
        ['GET', '/blocks?from=-1', undefined, 422, 'orderer.request-malformed'],
        ['GET', '/blocks?from=1e9', undefined, 422, 'orderer.request-malformed'],
        ['GET', '/attestations?after=x', undefined, 422, 'orderer.request-malformed'],
        ['GET', '/', undefined, 422, 'orderer.request-malformed'],
        ['DELETE', '/tx', undefined, 422, 'orderer.request-malformed'],
      ];
      for (const [method, path, body, status, code] of rows) {
        expect(await refusal(tls, method, path, body), `${method} ${path}`).toEqual({ status, code });
      }
      for (let i = 0; i < 20; i += 1) {
        const noise = randomBytes(200).toString(i % 2 === 0 ? 'base64url' : 'latin1');
        expect(await refusal(tls, 'POST', '/tx', noise)).toEqual({ status: 422, code: 'ledger.transaction-malformed' });
      }
      expect(await at('EE').outcome(id)).toBeUndefined();
    });

    it('says unreachable when nobody listens', async () => {
      const nobody = new TlsOrdererLink({ host, port: 1, tls: await tlsOf('EE'), validators });
      await expect(nobody.blocks(0, 10)).rejects.toMatchObject({ code: 'ledger.unreachable', retriable: true });
      nobody.close();
    });

    it('keeps an ended key out within two seconds, on connections that stand as well', async () => {
      const link = await linkOf('DE');
      expect(await link.blocks(0, 0)).not.toEqual([]);
      const { governance, tls } = orgs.get('DE')!;
      const id = randomUUID();
      const end = { id, fn: 'end-key', args: { v: 1, org: 'DE', kid: tls.kid } };
      await link.submit(await signRegistryAct(end, governance, 'trial', new Date().toISOString()));
      await committed('EE', id);
      const revoked = performance.now();
      const refused = async (): Promise<unknown> => link.blocks(0, 0).then(refused, (error: unknown) => error);
      expect(await refused()).toMatchObject({ code: 'orderer.client-unknown' });
      expect(performance.now() - revoked).toBeLessThan(2_000);
      await expect(at('DE').submit({ id: randomUUID(), fn: 'put-permit', args: permit('DE', 'EE') })).rejects.toMatchObject({
        code: 'orderer.client-unknown',
      });
    });
  });
});
