import type { Kid, OrgId } from '@portolan/contracts';

/** Whom a client certificate stands for: the organisation, and its key that is registered on the channel. */
export interface PartnerName {
  /** A country's code, or a regulator's name. */
  readonly org: OrgId;
  readonly kid: Kid;
}

const COMMON_NAME = /^([A-Z][A-Z0-9]{1,7})-([A-Za-z0-9_-]{43})$/;

/** Common name of the client certificate for a registered TLS key: `<org>-<kid>`, at most 52 characters (X.520 allows 64). */
export function partnerCommonName(name: PartnerName): string {
  const text = `${name.org}-${name.kid}`;
  if (!COMMON_NAME.test(text)) throw new TypeError('an organisation id and an RFC 7638 SHA-256 thumbprint are expected');
  return text;
}

/** The reverse; undefined where `commonName` is not exactly of that form. */
export function parsePartnerName(commonName: string): PartnerName | undefined {
  const [, org, kid] = COMMON_NAME.exec(commonName) ?? [];
  return org === undefined || kid === undefined ? undefined : { org, kid };
}
