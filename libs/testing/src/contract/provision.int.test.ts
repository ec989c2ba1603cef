import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  admitPartner,
  CountryFolders,
  FileKeyVault,
  findPartnerIdentity,
  MasterKeyDataKeys,
  ordererFolders,
  provisionCountry,
  provisionOrderer,
  readTlsIdentity,
  storeAdmission,
  SystemClock,
  type CountryMaterial,
} from '@portolan/keys';
import { partnerOfCertificate, verifyChain, X509Authorities } from '@portolan/x509';

const clock = new SystemClock();
const authorities = new X509Authorities();
let root: string;
let material: CountryMaterial;
const folderOf = (name: string): string => join(root, name);
const provision = (country: string): Promise<CountryMaterial> =>
  provisionCountry(country, { folder: folderOf(country), hosts: ['inbox.ee.example'], clock, authorities });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'portolan-provision-'));
  material = await provision('EE');
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Each file with the hash of its content. */
async function snapshot(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashes = await Promise.all(
    files.sort().map(async (file) => [
      file,
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ]),
  );
  return Object.fromEntries(hashes);
}

describe('the material of a country', () => {
  it('gives each role its own folder and none what it must not have', async () => {
    const folders = new CountryFolders(folderOf('EE'));
    expect((await readdir(folderOf('EE'))).sort()).toEqual(['authority', 'broker', 'edge', 'exchange', 'governance', 'notary']);
    expect((await readdir(join(folderOf('EE'), 'edge'))).sort()).toEqual(['internal', 'master']);
    expect((await readdir(join(folderOf('EE'), 'exchange'))).sort()).toEqual(['inbox', 'internal', 'keys', 'master']);
    expect((await readdir(join(folderOf('EE'), 'notary'))).sort()).toEqual(['internal', 'keys', 'master']);
    const uses = async (folder: string): Promise<string[]> => {
      const vault = new FileKeyVault({ folder, clock });
      const all = await Promise.all((['sign', 'seal', 'tls', 'ledger'] as const).map((use) => vault.list(use)));
      return all.flat().map((key) => key.use);
    };
    expect(await uses(folders.keys('exchange'))).toEqual(['sign', 'seal', 'tls']);
    expect(await uses(folders.keys('notary'))).toEqual(['tls', 'ledger']);
    expect(await uses(folders.governanceKeys)).toEqual(['ledger']);
  });

  it('is for its owner alone', async () => {
    for (const entry of await readdir(folderOf('EE'), { recursive: true, withFileTypes: true })) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      expect(mode & 0o777).toBe(entry.isDirectory() ? 0o700 : 0o600);
    }
  });

  it('stays as it is in a second run, and is completed after a crash', async () => {
    const before = await snapshot(folderOf('EE'));
    expect(await provision('EE')).toEqual(material);
    expect(await snapshot(folderOf('EE'))).toEqual(before);
    const folders = new CountryFolders(folderOf('EE'));
    await unlink(join(folders.inbox, 'certificate.pem'));
    await unlink(join(folders.keys('exchange'), `${material.exchange.seal.kid}.json`));
    const again = await provision('EE');
    expect(again.exchange.sign).toEqual(material.exchange.sign);
    expect(again.exchange.seal.kid).not.toBe(material.exchange.seal.kid);
    expect(await readTlsIdentity(folders.inbox)).toBeDefined();
  });

  it('has an inbox under the country’s own authority, and roles under another', async () => {
    const folders = new CountryFolders(folderOf('EE'));
    const inbox = await readTlsIdentity(folders.inbox);
    const check = { at: Date.now(), purpose: 'server' } as const;
    expect(inbox.authorityPem).toBe(material.authorityPem);
    expect(verifyChain(inbox.certificatePem, material.authorityPem, check).commonName).toBe('inbox EE');
    expect(new X509Certificate(inbox.certificatePem).checkHost('inbox.ee.example')).toBe('inbox.ee.example');
    for (const role of ['edge', 'exchange', 'notary'] as const) {
      const identity = await readTlsIdentity(folders.internal(role));
      expect(verifyChain(identity.certificatePem, identity.authorityPem, check).commonName).toBe(`${role} EE`);
      expect(() => verifyChain(identity.certificatePem, material.authorityPem, check)).toThrow(/chain-broken/);
    }
  });

  it('lets edge and exchange decrypt the same data', async () => {
    const folders = new CountryFolders(folderOf('EE'));
    const [edge, exchange] = await Promise.all(
      [folders.master('edge'), folders.master('exchange')].map((one) => MasterKeyDataKeys.open(one)),
    );
    const key = await edge!.create();
    const box = await edge!.encrypt(key, new TextEncoder().encode('kept'), 'row');
    expect(new TextDecoder().decode(await exchange!.decrypt(key, box, 'row'))).toBe('kept');
  });
});

describe('the admission of a partner', () => {
  it('is a certificate for the registered key, the same at each asking, a new one on demand', async () => {
    const partner = await provision('PT');
    const config = { authorityFolder: new CountryFolders(folderOf('EE')).authority, authorities, clock };
    const key = { org: 'PT', kid: partner.exchange.tls.kid, publicJwk: partner.exchange.tls.publicJwk };
    const admission = await admitPartner(key, config);
    expect(partnerOfCertificate(admission.certificatePem)).toEqual({ org: 'PT', kid: key.kid });
    expect(await admitPartner(key, config)).toEqual(admission);
    expect((await admitPartner(key, config, { renew: true })).certificatePem).not.toBe(admission.certificatePem);

    const folders = new CountryFolders(folderOf('PT'));
    const vault = new FileKeyVault({ folder: folders.keys('exchange'), clock, refreshMs: 0 });
    expect(await findPartnerIdentity(folders.partner('EE'), vault)).toBeUndefined();
    await storeAdmission(folders.partner('EE'), admission);
    const identity = await findPartnerIdentity(folders.partner('EE'), vault);
    expect(identity).toMatchObject({ kid: key.kid, certificatePem: admission.certificatePem, authorityPem: admission.authorityPem });

    // A younger TLS key is used only where the partner has let it in.
    await vault.generate('tls', { notBefore: new Date().toISOString(), notAfter: partner.exchange.tls.notAfter });
    expect((await findPartnerIdentity(folders.partner('EE'), vault))?.kid).toBe(key.kid);
  });

  it('is not given by who has no authority', async () => {
    const key = { org: 'EE', kid: material.exchange.tls.kid, publicJwk: material.exchange.tls.publicJwk };
    await expect(admitPartner(key, { authorityFolder: folderOf('none'), authorities, clock })).rejects.toMatchObject({
      code: 'keys.none-live',
    });
  });

  it('lets a notary in at the orderer', async () => {
    const orderer = await provisionOrderer('REG', { folder: folderOf('REG'), clock, authorities });
    const { ledger, tls } = material.notary;
    const admission = await admitPartner(
      { org: 'EE', ...tls },
      { authorityFolder: ordererFolders(folderOf('REG')).authority, authorities, clock },
    );
    expect(admission.authorityPem).toBe(orderer.authorityPem);
    expect(partnerOfCertificate(admission.certificatePem)).toEqual({ org: 'EE', kid: tls.kid });
    expect(ledger.kid).not.toBe(tls.kid);
  });
});
