import { x509 } from './platform.js';

/** What Fabric tells identities of one organisation apart by (NodeOUs): the organisational unit of their certificate. */
export type MemberKind = 'client' | 'peer' | 'admin' | 'orderer';

/** An identity of an organisation on a Fabric channel. */
export interface ChannelMember {
  readonly commonName: string;
  readonly kind: MemberKind;
  /** Attributes that chaincode reads (`ctx.clientIdentity.getAttributeValue`), as Fabric CA writes them. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Fabric CA's attribute extension: JSON `{"attrs": {…}}`. */
const ATTRIBUTES = '1.2.3.4.5.6.7.8.1';

export const memberName = ({ kind, commonName }: ChannelMember): x509.JsonName => [{ OU: [kind] }, { CN: [commonName] }];

export function memberExtensions({ attributes }: ChannelMember, end: readonly x509.Extension[]): x509.Extension[] {
  if (attributes === undefined) return [...end];
  return [...end, new x509.Extension(ATTRIBUTES, false, new TextEncoder().encode(JSON.stringify({ attrs: attributes })))];
}

/**
 * Whether the S of an ECDSA P-256 signature (RFC 3279, section 2.2.3) is in the lower half. Fabric rewrites a certificate whose S is not,
 * so that an identity in a transaction would differ from the certificate it was given; so a certificate is signed anew until it is. Below
 * 0x7f… is surely lower, and nearly every second signature is.
 */
export function isSurelyLowS(signature: ArrayBuffer): boolean {
  const der = new Uint8Array(signature);
  const lengthAt = 5 + (der[3] ?? 0);
  const [length = 33, first = 0xff] = der.subarray(lengthAt);
  return length < 32 || (length === 32 && first < 0x7f);
}
