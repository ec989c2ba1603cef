import { join } from 'node:path';
import type { OrgId } from '@portolan/contracts';

/** Who acts for an organisation: `notary` and `governance` towards the chaincode, `admin` towards peers, orderers and the channel. */
export type MemberName = 'notary' | 'governance' | 'admin';

/** A certificate and its PKCS#8 key, PEM. */
export interface KeyFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface OrganisationFolders {
  readonly home: string;
  /** What the channel knows of it: authorities and NodeOUs, no keys. */
  readonly msp: string;
  /** Local MSP of a process or person: the same, with its certificate and key. */
  readonly localMsp: (name: string) => string;
  readonly identity: (name: string) => KeyFiles;
  readonly authority: KeyFiles;
  readonly tlsAuthority: KeyFiles;
  readonly tls: (name: string) => KeyFiles;
  /** Of one process: its ledger, log and note. */
  readonly part: (name: string) => string;
}

/** Where the files of one organisation lie. All of it is its own, and readable for its owner alone. */
export function organisationFolders(network: string, org: OrgId): OrganisationFolders {
  const home = join(network, org.toLowerCase());
  const files = (folder: string, name: string): KeyFiles => ({
    certificate: join(home, folder, `${name}.crt.pem`),
    key: join(home, folder, `${name}.key.pem`),
  });
  const localMsp = (name: string): string => join(home, 'identities', name, 'msp');
  return {
    home,
    msp: join(home, 'msp'),
    localMsp,
    identity: (name) => ({ certificate: join(localMsp(name), 'signcerts/cert.pem'), key: join(localMsp(name), 'keystore/key.pem') }),
    authority: files('authority', 'identities'),
    tlsAuthority: files('authority', 'tls'),
    tls: (name) => files('tls', name),
    part: (name) => join(home, name),
  };
}

/** Where the files lie that all organisations of a network on one machine share. */
export const networkFiles = (network: string) =>
  ({
    config: join(network, 'config'),
    builder: join(network, 'builder'),
    genesis: join(network, 'genesis.block'),
  }) as const;
