import type { Signer } from '@portolan/domain';
import type { SignDigest } from '@portolan/fabric-channel';
import { ExternalKeySigner, JoseSigner } from '@portolan/jose';
import { FileKeyVault, findFabricCertificate, findFabricIdentity } from '@portolan/keys';
import { Token, TokenSigningKeys } from '@portolan/pkcs11';
import type { NodeGround } from './node-ground.js';

type Ground = Pick<NodeGround, 'config' | 'folders' | 'clock'>;

/** The notary's keys in its token; undefined where they are files. */
function tokenKeys({ config, clock }: Ground): TokenSigningKeys | undefined {
  return config.ledgerKey === undefined ? undefined : new TokenSigningKeys(new Token(config.ledgerKey), { clock });
}

/** Signs transactions and heads of the embedded ledger. */
export function ledgerSigner(ground: Ground, vault: FileKeyVault): Signer {
  const keys = tokenKeys(ground);
  return keys === undefined ? new JoseSigner(vault) : new ExternalKeySigner(keys);
}

/** The notary's identity on a Fabric channel, with what signs for it. Undefined where its organisation issued no certificate for its key. */
export async function fabricIdentity(
  ground: Ground,
): Promise<{ certificatePem: string; authorityPem: string; sign: SignDigest } | undefined> {
  const { folders, clock } = ground;
  const { externalSigner, pemSigner } = await import('@portolan/fabric-channel');
  const keys = tokenKeys(ground);
  if (keys === undefined) {
    const identity = await findFabricIdentity(folders.fabric, new FileKeyVault({ folder: folders.keys('notary'), clock }));
    return identity === undefined ? undefined : { ...identity, sign: pemSigner(identity.privateKeyPem) };
  }
  const found = await findFabricCertificate(folders.fabric, keys);
  return found === undefined ? undefined : { ...found, sign: externalSigner((digest) => keys.signDigest(found.kid, digest)) };
}
