import type { Instant, PublicJwk } from '@portolan/contracts';
import { kidOf, type Caller, type Claim, type ExecuteDeps } from '@portolan/ledger-rules';
import type { Context } from 'fabric-contract-api';
import { X509Certificate } from 'node:crypto';
import { Refused } from './refused.js';

/** Attribute of a client certificate (Fabric's extension 1.2.3.4.5.6.7.8.1) that says in which role its holder acts. */
export const roleAttribute = 'portolan.role';

/**
 * Who submitted the transaction. The channel's MSP has judged the certificate (Fabric authenticates before it executes): it
 * gives organisation and role. Which key it was decides the registry: `kid` is the RFC 7638 thumbprint of the certificate's
 * key, so a key that was never registered, or has ended, signs nothing, whatever certificates its organisation still issues.
 */
export function claimOf({ clientIdentity }: Context, time: Instant, { sha256 }: Pick<ExecuteDeps, 'sha256'>): Claim {
  const role = clientIdentity.getAttributeValue(roleAttribute);
  if (!isRole(role)) throw new Refused('ledger.role-refused', 'signer');
  return { org: clientIdentity.getMSPID(), role, kid: kidOf(jwkOf(clientIdentity.getIDBytes()), sha256), time };
}

const isRole = (text: string | null): text is Caller['role'] => text === 'notary' || text === 'governance';

function jwkOf(certificate: Uint8Array): PublicJwk {
  const { kty, crv, x, y } = new X509Certificate(certificate).publicKey.export({ format: 'jwk' });
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) throw new Refused('ledger.key-unknown', 'signer');
  return { kty, crv, x, y };
}
