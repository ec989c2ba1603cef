import type { BusinessIdentifier, CountryCode } from '@portolan/contracts';
import type { PrincipalKind } from '@portolan/domain';
import type { JWK, JWKS } from 'oidc-provider';

/** A person of the demonstration who can be logged in with one click. Synthetic persons only. */
export interface DemoAccount {
  /** `sub` of the tokens. */
  readonly id: string;
  readonly name: string;
  readonly kind: Exclude<PrincipalKind, 'system'>;
  /** Under which identifier the country knows the person; given where the kind is `person`. */
  readonly person?: BusinessIdentifier;
  /** Further claims of the access token, e.g. a clinician's IHE IUA extension. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A public client (RFC 6749 section 2.1) that logs people in: the portal, the command line. PKCE (S256) is demanded of it. */
export interface DemoApp {
  readonly clientId: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
  /** Scopes of the node's API that it may ask for, besides `openid`. */
  readonly scopes: readonly string[];
}

/** A system registered for SMART Backend Services: it proves itself by `private_key_jwt`. */
export interface BackendSystem {
  readonly clientId: string;
  readonly name: string;
  /** Its public keys (RFC 7517), each with a `kid`. */
  readonly jwks: JWKS;
  /** Scopes that it may ask for, e.g. `system/Observation.read`. */
  readonly scopes: readonly string[];
}

/** The words of the login page, in one language. */
export interface LoginPageWords {
  /** BCP 47. */
  readonly language: string;
  readonly heading: string;
  /** Says that this is a demonstration and that the persons do not exist. */
  readonly note: string;
  readonly kinds: Readonly<Record<DemoAccount['kind'], string>>;
  /** Said where the login was left too long, or begun elsewhere. */
  readonly expired: string;
}

/** The demonstration's OpenID provider of ONE country. */
export interface DemoOpenIdConfig {
  /** Must be true: this provider asks nobody for a password. */
  readonly demo: boolean;
  readonly country: CountryCode;
  /** Resource identifier (RFC 8707) of the node's API: `aud` of every access token. */
  readonly audience: string;
  /** Private EC P-256 key with a `kid`; signs tokens as ES256. */
  readonly signingKey: JWK;
  readonly accounts: readonly DemoAccount[];
  readonly apps: readonly DemoApp[];
  readonly systems: readonly BackendSystem[];
  readonly words?: LoginPageWords;
}

export const englishWords: LoginPageWords = {
  language: 'en',
  heading: 'Who are you today?',
  note: 'A demonstration: nobody on this page exists, and no password is asked.',
  kinds: { person: 'Person', 'clinician-app': 'Clinician', regulator: 'Regulator', operator: 'Operator' },
  expired: 'This login is no longer open. Go back to the application and begin again.',
};
