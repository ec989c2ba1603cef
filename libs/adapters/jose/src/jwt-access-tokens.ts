import { PortolanError, type BusinessIdentifier, type ProxyRelationship } from '@portolan/contracts';
import { AccessTokens, principalKinds, type Clock, type Principal, type PrincipalKind, type Representation } from '@portolan/domain';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { actingProfessional, hasIua } from './iua.js';
import { keysOf, type Fetch, type KeySource } from './jwks.js';
import { claimedIssuer, TOKEN_ALGORITHMS, verifyJwt } from './jwt.js';

/** Persons for whom one token may speak. */
const MAX_REPRESENTED = 20;
const proxyRelationships: readonly ProxyRelationship[] = ['PRN', 'GUARD'];

/** A provider whose access tokens this node takes. */
export interface TrustedIssuer {
  /** Exactly the `iss` of its tokens. */
  readonly issuer: string;
  readonly keys: KeySource;
  /** Kinds of principal it may speak for: a hospital's provider makes no regulators. */
  readonly kinds: readonly PrincipalKind[];
  /** Identifier system (URI) of national_provider_identifier in its tokens. */
  readonly providerSystem: string;
}

export interface JwtAccessTokensConfig {
  readonly issuers: readonly TrustedIssuer[];
  /** This node's resource identifier (RFC 8707): one of the token's `aud` must be it. */
  readonly audience: string;
  readonly clock: Clock;
  readonly algorithms?: readonly string[];
  readonly fetch?: Fetch;
}

/**
 * JWT access tokens (RFC 9068: typ at+jwt, iss, sub, aud, exp, iat, jti, client_id, scope). Three claims are this project's own:
 *
 * - `ptl_kind`: kind of principal. Absent, a token whose `sub` is its `client_id` is a `system`'s (client credentials grant).
 * - `ptl_person`: `{system, value}`, the identifier of the person; required where the kind is `person`.
 * - `ptl_represents`: of a person's token, a list of `{system, value, relationship}`: for whom she may speak (HL7 v3 RoleCode PRN, GUARD).
 */
export class JwtAccessTokens extends AccessTokens {
  private readonly issuers: ReadonlyMap<string, { trusted: TrustedIssuer; keys: JWTVerifyGetKey }>;

  constructor(private readonly config: JwtAccessTokensConfig) {
    super();
    this.issuers = new Map(config.issuers.map((one) => [one.issuer, { trusted: one, keys: keysOf(one.keys, config.fetch) }]));
  }

  async verify(token: string): Promise<Principal> {
    const issuer = this.issuers.get(claimedIssuer(token) ?? '');
    if (issuer === undefined) throw invalid('iss');
    const claims = await verifyJwt(token, {
      keys: issuer.keys,
      issuer: issuer.trusted.issuer,
      audience: this.config.audience,
      types: ['at+jwt'],
      requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
      algorithms: this.config.algorithms ?? TOKEN_ALGORITHMS,
      nowMs: this.config.clock.now(),
      codes: { invalid: 'access.token-invalid', expired: 'access.token-expired' },
    });
    return principalOf(claims, issuer.trusted);
  }
}

function principalOf(claims: JWTPayload, trusted: TrustedIssuer): Principal {
  const subject = requiredText(claims, 'sub');
  const clientId = requiredText(claims, 'client_id');
  const kind = kindOf(claims, subject, clientId);
  if (!trusted.kinds.includes(kind)) throw invalid('ptl_kind');
  const personIdentifier = identifierOf(claims['ptl_person']);
  if (kind === 'person' && personIdentifier === undefined) throw invalid('ptl_person');
  const name = claims['name'];
  return {
    kind,
    subject,
    issuer: trusted.issuer,
    clientId,
    scopes: scopesOf(claims['scope']),
    ...(personIdentifier === undefined ? {} : { personIdentifier }),
    ...(kind === 'person' ? representationsOf(claims['ptl_represents']) : {}),
    ...(typeof name === 'string' && name !== '' ? { name: name.slice(0, 200) } : {}),
    ...(hasIua(claims) ? { acting: actingProfessional(claims, trusted.providerSystem) } : {}),
  };
}

function kindOf(claims: JWTPayload, subject: string, clientId: string): PrincipalKind {
  const kind = claims['ptl_kind'] ?? (subject === clientId ? 'system' : undefined);
  const known = principalKinds.find((one) => one === kind);
  if (known === undefined) throw invalid('ptl_kind');
  return known;
}

function scopesOf(scope: unknown): readonly string[] {
  if (scope === undefined) return [];
  if (typeof scope !== 'string') throw invalid('scope');
  return scope.split(' ').filter((one) => one !== '');
}

function identifierOf(value: unknown, claim = 'ptl_person'): BusinessIdentifier | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || !('system' in value) || !('value' in value)) throw invalid(claim);
  const { system, value: id } = value;
  if (!isText(system, 255) || !isText(id, 128)) throw invalid(claim);
  return { system, value: id };
}

/** One mistake in it and the whole token is refused: half of a list would be somebody's word left out. */
function representationsOf(list: unknown): Pick<Principal, 'represents'> {
  if (list === undefined) return {};
  if (!Array.isArray(list) || list.length > MAX_REPRESENTED) throw invalid('ptl_represents');
  const represents = (list as readonly unknown[]).map((one): Representation => {
    const person = typeof one === 'object' ? identifierOf(one ?? 0, 'ptl_represents') : undefined;
    const relationship = proxyRelationships.find((known) => known === (one as { relationship?: unknown } | null)?.relationship);
    if (person === undefined || relationship === undefined) throw invalid('ptl_represents');
    return { person, relationship };
  });
  return { represents };
}

function requiredText(claims: JWTPayload, claim: string): string {
  const value = claims[claim];
  if (!isText(value, 255)) throw invalid(claim);
  return value;
}

const isText = (value: unknown, maxChars: number): value is string => typeof value === 'string' && value !== '' && value.length <= maxChars;

const invalid = (claim: string): PortolanError => new PortolanError('access.token-invalid', 'token', claim);
