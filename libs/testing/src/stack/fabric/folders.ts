import { join } from 'node:path';
import type { OrgId } from '@portolan/contracts';

/** Who acts for an organisation: `notary` and `governance` towards the chaincode, `admin` towards peers, orderers and the channel. */
export type MemberName = 'notary' | 'governance' | 'admin';

/** Where the files of one organisation lie. All of it is its own, and readable for its owner alone. */
export function organisationFolders(network: string, org: OrgId) {
  const home = join(network, org.toLowerCase());
  const tls = (name: string) => ({ certificate: join(home, 'tls', `${name}.crt.pem`), key: join(home, 'tls', `${name}.key.pem`) });
  return {
    home,
    /** What the channel knows of it: authorities and NodeOUs, no keys. */
    msp: join(home, 'msp'),
    /** Local MSP of a process or person: the same, with its certificate and key. */
    localMsp: (name: string): string => join(home, 'identities', name, 'msp'),
    certificateOf: (name: string): string => join(home, 'identities', name, 'msp/signcerts/cert.pem'),
    keyOf: (name: string): string => join(home, 'identities', name, 'msp/keystore/key.pem'),
    authority: { certificate: join(home, 'authority/ca.pem'), key: join(home, 'authority/ca.key.pem') },
    tlsAuthority: { certificate: join(home, 'authority/tls-ca.pem'), key: join(home, 'authority/tls-ca.key.pem') },
    tls,
    part: (name: string): string => join(home, name),
  } as const;
}

export type OrganisationFolders = ReturnType<typeof organisationFolders>;

/** Where the files lie that all organisations of a network on one machine share. */
export const networkFiles = (network: string) =>
  ({
    config: join(network, 'config'),
    builder: join(network, 'builder'),
    genesis: join(network, 'genesis.block'),
  }) as const;
