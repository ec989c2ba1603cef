import type { Actor } from '@portolan/contracts';
import type { Principal } from '@portolan/domain';

/** Who acts for an authority, as the audit trail names it: the login at the country's provider, in the office that the token states. */
export function authority({ issuer, subject, name }: Principal, office: 'regulator' | 'operator'): Actor {
  return {
    kind: 'authority',
    name: name ?? subject.slice(0, 200),
    id: { system: issuer, value: subject.slice(0, 128) },
    role: office,
    organisation: { id: { system: issuer, value: office }, name: `The ${office} of this country` },
  };
}
