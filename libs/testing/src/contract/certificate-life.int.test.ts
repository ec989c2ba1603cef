import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile, appendFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { PortolanError } from '@portolan/contracts';
import { EmbeddedInboxListener, EmbeddedPartnerLink } from '@portolan/embedded-inbox';
import {
  AuthorityRegister,
  certificateInventory,
  CertificateOffice,
  CountryFolders,
  findTlsIdentity,
  readTlsIdentity,
  RefusedKeysFile,
  SystemClock,
  type Issued,
  type TlsIdentity,
} from '@portolan/keys';
import { readRevocations, verifyChain, X509Authorities } from '@portolan/x509';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyPair, type KeyPair } from '../stack/certificates.js';
import { message } from './partner-inbox.contract.js';

/*
 * The life of a certificate as an operator has it: issued, used at a real door, renewed while messages go on, revoked.
 */
const DAY = 86_400_000;
const authorities = new X509Authorities();
let home: string;
let office: CertificateOffice;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'portolan-office-'));
  office = new CertificateOffice({ home, authorities, clock: new SystemClock() });
  await office.ensureAuthorities('EE');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(home, { recursive: true, force: true });
});

const requestOf = (key: KeyPair, name = ''): Promise<string> => authorities.request({ commonName: name, hosts: [] }, key);
const identityOf = ({ entry, authorityPem }: Issued, { privateKeyPem }: KeyPair): TlsIdentity => ({
  certificatePem: entry.certificatePem,
  authorityPem,
  privateKeyPem,
});

/** EE's inbox as a node opens it: its identity is read again, and what the office refuses is refused. */
async function openInbox(): Promise<{ port: number; received: string[] }> {
  const { inbox } = new CountryFolders(home);
  const refused = new RefusedKeysFile(inbox, 20);
  const listener = new EmbeddedInboxListener({
    host: '127.0.0.1',
    port: 0,
    ...(await readTlsIdentity(inbox)),
    limits: { rereadMs: 20 },
    reread: () => readTlsIdentity(inbox),
    isRefused: ({ country, kid, serial }) => refused.refuses({ org: country, kid, serial }),
  });
  closing.push(() => listener.close());
  const received: string[] = [];
  const { port } = await listener.listen(
    (_from, { id }) => {
      received.push(id);
      return Promise.resolve();
    },
    () => Promise.resolve(true),
  );
  return { port, received };
}

function linkTo(port: number, shown: () => TlsIdentity): EmbeddedPartnerLink {
  const link = new EmbeddedPartnerLink({ partners: () => ({ host: '127.0.0.1', port, ...shown() }) });
  closing.push(() => link.close());
  return link;
}

async function until(holds: () => Promise<boolean>, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The serial number of what the door shows to whoever connects now. */
async function shownBy(port: number, identity: TlsIdentity): Promise<string> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca: identity.authorityPem,
    cert: identity.certificatePem,
    key: identity.privateKeyPem,
  });
  try {
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    return socket.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? '';
  } finally {
    socket.destroy();
  }
}

describe('a certificate', () => {
  it('is issued for a partner’s request, lets it in, and is given again for the same request', async () => {
    await office.issueOwn('inbox', []);
    const key = keyPair();
    const issued = await office.issuePartner('PT', await requestOf(key), { kid: key.kid });
    const { port, received } = await openInbox();
    await linkTo(port, () => identityOf(issued, key)).send('EE', message('m-1'));
    expect(received).toEqual(['m-1']);
    expect(await office.issuePartner('PT', await requestOf(key))).toEqual({ ...issued, fresh: false });
    expect(
      verifyChain(issued.entry.certificatePem, issued.authorityPem, { at: Date.now(), purpose: 'client' }).serial.length,
    ).toBeGreaterThanOrEqual(16);
  });

  it('of the door is renewed without a restart, a lost message or a broken connection; the partner’s with an overlap of two', async () => {
    await office.issueOwn('inbox', ['inbox.ee.example']);
    const [first, second] = [keyPair(), keyPair()];
    let shown = identityOf(await office.issuePartner('PT', await requestOf(first)), first);
    const { port, received } = await openInbox();
    const link = linkTo(port, () => shown);
    const before = await shownBy(port, shown);
    const sending = (async () => {
      for (let i = 0; i < 300; i += 1) await link.send('EE', message(`m-${i}`));
    })();
    const renewed = await office.issueOwn('inbox', undefined, { again: true });
    const again = await office.renew(new X509Certificate(shown.certificatePem).serialNumber, { now: true });
    const old = shown;
    shown = identityOf(again, first);
    await link.send('EE', message('second-serial'));
    shown = identityOf(await office.issuePartner('PT', await requestOf(second)), second);
    await link.send('EE', message('second-key'));
    await sending;
    expect(received).toHaveLength(302);
    await until(async () => (await shownBy(port, shown)) === renewed.entry.serial, 5_000);
    expect(before).not.toBe(renewed.entry.serial);
    expect(new X509Certificate(renewed.entry.certificatePem).checkHost('inbox.ee.example')).toBe('inbox.ee.example');
    // All that were issued still let in.
    for (const identity of [old, identityOf(again, first), shown]) await linkTo(port, () => identity).send('EE', message('overlap'));
  });

  it('that is revoked is refused at once, on a connection that is open and on a new one, and no other', async () => {
    await office.issueOwn('inbox', []);
    const [one, two] = [keyPair(), keyPair()];
    const [pt, de] = [await office.issuePartner('PT', await requestOf(one)), await office.issuePartner('DE', await requestOf(two))];
    const { port } = await openInbox();
    const link = linkTo(port, () => identityOf(pt, one));
    await link.send('EE', message('m-1'));
    const done = await office.revoke(pt.entry.kid, 'keyCompromise');
    expect(done).toMatchObject({ atDoor: true, keys: [{ org: 'PT', kid: one.kid }] });
    await until(
      () =>
        link.send('EE', message('m-2')).then(
          () => false,
          (error: unknown) => error instanceof PortolanError && error.code.startsWith('exchange.'),
        ),
      2_000,
    );
    await expect(linkTo(port, () => identityOf(pt, one)).send('EE', message('m-3'))).rejects.toMatchObject({
      code: expect.stringMatching(/^exchange\./),
    });
    await linkTo(port, () => identityOf(de, two)).send('EE', message('m-4'));
    await expect(office.issuePartner('PT', await requestOf(one))).rejects.toMatchObject({ code: 'x509.revoked' });
    await expect(office.renew(pt.entry.serial, { now: true })).rejects.toMatchObject({ code: 'x509.revoked' });
  });

  it('that is revoked because another took its place leaves its key alone; later found known to others, it does not', async () => {
    await office.issueOwn('inbox', []);
    const key = keyPair();
    const first = await office.issuePartner('PT', await requestOf(key));
    const second = await office.issuePartner('PT', await requestOf(key), { again: true });
    const { port } = await openInbox();
    expect((await office.revoke(first.entry.serial, 'superseded')).keys).toEqual([]);
    await expect(linkTo(port, () => identityOf(first, key)).send('EE', message('m-1'))).rejects.toThrow();
    await linkTo(port, () => identityOf(second, key)).send('EE', message('m-2'));
    expect((await office.revoke(first.entry.serial, 'keyCompromise')).keys).toEqual([{ org: 'PT', kid: key.kid }]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(linkTo(port, () => identityOf(second, key)).send('EE', message('m-3'))).rejects.toThrow();
  });
});

describe('the list of revocations', () => {
  it('has a number that rises, names each serial once, and is one that OpenSSL reads', async () => {
    const key = keyPair();
    const { entry, authorityPem } = await office.issuePartner('PT', await requestOf(key));
    const lists = [
      await office.revoke(entry.serial, 'superseded'),
      await office.revoke(entry.serial, 'keyCompromise'),
      await office.refreshList('exchange'),
    ];
    const [first = 0, second = 0, third = 0] = lists.map(({ listNumber }) => listNumber);
    expect([second > first, third > second]).toEqual([true, true]);
    const pem = await readFile(lists[0]?.listFile ?? '', 'utf8');
    expect(await readRevocations(pem, authorityPem)).toMatchObject({ number: third, serials: new Set([entry.serial]) });
    expect(pem).toMatch(/^-----BEGIN X509 CRL-----/);
    const openssl = ((): string | undefined => {
      try {
        return execFileSync('openssl', ['crl', '-noout', '-text'], { input: pem }).toString();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    })();
    if (openssl !== undefined) expect(openssl).toMatch(/Key Compromise/);
  });
});

describe('the register', () => {
  it('holds whatever an authority issued, for its owner alone, and says who when a line was altered', async () => {
    await office.issueOwn('inbox', []);
    await office.issueOwn('notary', []);
    const key = keyPair();
    await office.issuePartner('PT', await requestOf(key));
    const { authority } = new CountryFolders(home);
    const names = async (by: string): Promise<string[]> =>
      (await new AuthorityRegister(authority, by).read()).flatMap((entry) => (entry.act === 'issued' ? [entry.commonName] : []));
    expect([await names('exchange'), await names('internal')]).toEqual([['inbox EE', `PT-${key.kid}`], ['notary EE']]);
    for (const name of await readdir(authority)) expect((await stat(join(authority, name))).mode & 0o777).toBe(0o600);
    const path = join(authority, 'exchange.register.jsonl');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"partner"', '"server"').replace('inbox EE', 'inbox PT'));
    await expect(office.issuePartner('DE', await requestOf(keyPair()))).rejects.toMatchObject({ code: 'keys.register-damaged' });
    await writeFile(path, text.split('\n').slice(1).join('\n'));
    await expect(names('exchange')).rejects.toMatchObject({ code: 'keys.register-damaged' });
  });

  it('goes on after a process was killed in the middle of a line, or while it held the lock', async () => {
    const { authority } = new CountryFolders(home);
    const register = new AuthorityRegister(authority, 'exchange');
    await office.issuePartner('PT', await requestOf(keyPair()));
    await appendFile(join(authority, 'exchange.register.jsonl'), '{"v":1,"n":2,"before":"');
    // A process id that no process has: above Linux's largest.
    await writeFile(join(authority, '.exchange.register.lock'), '99999999');
    await office.issuePartner('DE', await requestOf(keyPair()));
    expect((await register.read()).filter(({ act }) => act === 'issued')).toHaveLength(2);
  });

  it('loses nothing where many issue at once, and the same request is still answered once', async () => {
    const keys = Array.from({ length: 12 }, keyPair);
    const requests = await Promise.all([...keys, ...keys].map((key) => requestOf(key)));
    const issued = await Promise.all(requests.map((request) => office.issuePartner('PT', request)));
    expect(new Set(issued.map(({ entry }) => entry.serial)).size).toBe(12);
    expect(await new AuthorityRegister(new CountryFolders(home).authority, 'exchange').read()).toHaveLength(12);
  });
});

describe('the inventory', () => {
  it('says what is to be renewed, and is quiet about what has a successor or was revoked', async () => {
    const key = keyPair();
    const inbox = await office.issueOwn('inbox', [], { days: 20 });
    const partner = await office.issuePartner('PT', await requestOf(key), { days: 20 });
    const due = async (within?: number): Promise<string[]> =>
      (await certificateInventory(home, Date.now(), within)).filter((row) => row.due).map(({ serial }) => serial);
    expect((await due()).sort()).toEqual([inbox.entry.serial, partner.entry.serial].sort());
    expect(await due(10)).toEqual([]);
    expect((await office.renew(partner.entry.serial)).fresh).toBe(true);
    await office.revoke(inbox.entry.serial, 'superseded');
    expect(await due()).toEqual([]);
    const later = await certificateInventory(home, Date.now() + 500 * DAY);
    expect(later.flatMap(({ purpose, state }) => (purpose === 'authority' ? [] : [state])).sort()).toEqual(['ended', 'ended', 'revoked']);
  });
});

describe('what is not issued', () => {
  it.each([
    ['for our own country', 'EE', {}, 'x509.name-invalid'],
    ['for a name that is none', 'pt', {}, 'x509.name-invalid'],
    ['for another key than the registered one', 'PT', { kid: 'x'.repeat(43) }, 'x509.request-refused'],
    ['for longer than a year and a month', 'PT', { days: 398 }, 'x509.validity-refused'],
    ['for no time', 'PT', { days: 0 }, 'x509.validity-refused'],
  ])('%s', async (_what, org, term, code) => {
    await expect(office.issuePartner(org, await requestOf(keyPair()), term)).rejects.toMatchObject({ code });
    expect(await new AuthorityRegister(new CountryFolders(home).authority, 'exchange').read()).toEqual([]);
  });

  it('under another partner’s name, with hosts, or with a host that was not ordered', async () => {
    const key = keyPair();
    await expect(office.issuePartner('PT', await requestOf(key, `DE-${key.kid}`))).rejects.toMatchObject({ code: 'x509.request-refused' });
    const hosts = await authorities.request({ commonName: 'inbox', hosts: ['inbox.ee.example'] }, key);
    await expect(office.issuePartner('PT', hosts)).rejects.toMatchObject({ code: 'x509.request-refused' });
    await expect(office.issueEnd('inbox', ['other.ee.example'], hosts)).rejects.toMatchObject({ code: 'x509.request-refused' });
    expect((await office.issueEnd('inbox', ['inbox.ee.example'], hosts)).fresh).toBe(true);
  });
});

describe('the identity of a door', () => {
  it('is the old one or the new one, whenever the process that changes it is killed', async () => {
    await office.issueOwn('inbox', []);
    const { inbox } = new CountryFolders(home);
    const old = await readTlsIdentity(inbox);
    const other = join(home, 'other');
    const elsewhere = new CertificateOffice({ home: other, authorities, clock: new SystemClock() });
    await elsewhere.ensureAuthorities('EE');
    await elsewhere.issueOwn('inbox', []);
    const fresh = await readTlsIdentity(new CountryFolders(other).inbox);
    // Killed after the whole was written, and after one of three files.
    await writeFile(join(inbox, 'next.json'), JSON.stringify(fresh));
    expect(await findTlsIdentity(inbox)).toEqual(fresh);
    await writeFile(join(inbox, 'key.pem'), fresh.privateKeyPem);
    expect(await findTlsIdentity(inbox)).toEqual(fresh);
    await rm(join(inbox, 'next.json'));
    await expect(findTlsIdentity(inbox)).rejects.toMatchObject({ code: 'keys.file-invalid' });
    await writeFile(join(inbox, 'key.pem'), old.privateKeyPem);
    expect(await findTlsIdentity(inbox)).toEqual(old);
  });
});
