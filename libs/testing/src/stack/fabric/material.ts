import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OrgId, PublicJwk } from '@portolan/contracts';
import { X509Authorities, type ChannelMember, type X509Authority } from '@portolan/x509';
import { keep } from '../../world/files.js';
import { days, keyPair } from '../certificates.js';
import { organisationFolders, type KeyFiles, type MemberName, type OrganisationFolders } from './folders.js';
import type { FabricOrganisation } from './plan.js';

const AUTHORITY_DAYS = 3_650;
const MEMBER_DAYS = 825;

const memberNames: readonly MemberName[] = ['notary', 'governance', 'admin'];

/** Fabric tells kinds of identities apart by the organisational unit in their certificates. */
const nodeUnits = `NodeOUs:
  Enable: true
${(['Client', 'Peer', 'Admin', 'Orderer'] as const)
  .map(
    (kind) => `  ${kind}OUIdentifier:
    Certificate: cacerts/ca.pem
    OrganizationalUnitIdentifier: ${kind.toLowerCase()}
`,
  )
  .join('')}`;

/**
 * Keys and certificates of one organisation: an authority for identities and one for TLS, its processes' and its people's. What is there
 * stays; what was cut off is made up for.
 */
export async function ensureMaterial(network: string, organisation: FabricOrganisation): Promise<OrganisationFolders> {
  const { org, kind } = organisation;
  const folders = organisationFolders(network, org);
  const authority = await ensureAuthority(org, `${org} identities`, folders.authority);
  const tlsAuthority = await ensureAuthority(org, `${org} fabric tls`, folders.tlsAuthority);
  const shared = { ca: authority.certificatePem, tlsCa: tlsAuthority.certificatePem };
  await writeMsp(folders.msp, shared);
  const processes = kind === 'country' ? (['peer', 'orderer'] as const) : (['orderer'] as const);
  if (kind === 'country')
    for (const name of ['chaincode', 'chaincode-client']) await ensureTls(folders, tlsAuthority, name, `${name} ${org}`);
  for (const name of processes) {
    await ensureMember(folders, authority, shared, name, { commonName: `${name} ${org}`, kind: name });
    await ensureTls(folders, tlsAuthority, name, `${name} ${org}`);
  }
  await ensureTls(folders, tlsAuthority, 'admin', `admin ${org}`);
  for (const name of memberNames) await ensureMember(folders, authority, shared, name, personOf(name, org));
  return folders;
}

/**
 * A certificate of the organisation for a key of somebody who acts for it and holds that key elsewhere: the node's notary, its governance.
 * PEM.
 */
export async function certify(network: string, org: OrgId, name: MemberName, publicJwk: PublicJwk): Promise<string> {
  const authority = await openAuthority(organisationFolders(network, org).authority);
  return authority.issueMember(personOf(name, org), publicJwk, days(-1, MEMBER_DAYS));
}

function personOf(name: MemberName, org: OrgId): ChannelMember {
  const commonName = `${name} ${org}`;
  return name === 'admin' ? { commonName, kind: 'admin' } : { commonName, kind: 'client', attributes: { 'portolan.role': name } };
}

async function ensureAuthority(org: OrgId, commonName: string, files: KeyFiles): Promise<X509Authority> {
  if (!existsSync(files.certificate)) {
    // X.509's country is two letters, and a regulator's name is not.
    const country = /^[A-Z]{2}$/.test(org) ? org : undefined;
    const { certificatePem, privateKeyPem } = await new X509Authorities().create({ country, commonName }, days(-1, AUTHORITY_DAYS));
    await keep(files.key, privateKeyPem);
    await keep(files.certificate, certificatePem);
  }
  return openAuthority(files);
}

async function openAuthority(files: KeyFiles): Promise<X509Authority> {
  const [certificatePem, privateKeyPem] = await Promise.all([readFile(files.certificate, 'utf8'), readFile(files.key, 'utf8')]);
  return new X509Authorities().open({ certificatePem, privateKeyPem });
}

async function writeMsp(folder: string, { ca, tlsCa }: { ca: string; tlsCa: string }): Promise<void> {
  await keep(join(folder, 'cacerts/ca.pem'), ca);
  await keep(join(folder, 'tlscacerts/tls-ca.pem'), tlsCa);
  await keep(join(folder, 'config.yaml'), nodeUnits);
}

async function ensureMember(
  folders: OrganisationFolders,
  authority: X509Authority,
  shared: { ca: string; tlsCa: string },
  name: string,
  member: ChannelMember,
): Promise<void> {
  await writeMsp(folders.localMsp(name), shared);
  if (existsSync(folders.identity(name).certificate)) return;
  const { privateKeyPem, publicJwk } = keyPair();
  await keep(folders.identity(name).key, privateKeyPem);
  await keep(folders.identity(name).certificate, await authority.issueMember(member, publicJwk, days(-1, MEMBER_DAYS)));
}

async function ensureTls(folders: OrganisationFolders, authority: X509Authority, name: string, commonName: string): Promise<void> {
  const files = folders.tls(name);
  if (existsSync(files.certificate)) return;
  const { privateKeyPem, publicJwk } = keyPair();
  await keep(files.key, privateKeyPem);
  await keep(files.certificate, await authority.issueServer({ commonName, hosts: [] }, publicJwk, days(-1, MEMBER_DAYS)));
}
