import { PortolanError } from '@portolan/contracts';
import { ProfessionalAssertions, type ActingProfessional, type Clock, type Principal, type StatementMark } from '@portolan/domain';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { actingProfessional } from './iua.js';
import { keysOf, type Fetch, type KeySource } from './jwks.js';
import { LEEWAY_S, TOKEN_ALGORITHMS, verifyJwt } from './jwt.js';

/** A calling system, as it is registered with this node. */
export interface RegisteredClient {
  readonly clientId: string;
  readonly keys: KeySource;
  /** Identifier system (URI) of national_provider_identifier in its statements. */
  readonly providerSystem: string;
}

export interface JwtProfessionalAssertionsConfig {
  readonly clients: readonly RegisteredClient[];
  /** This node's resource identifier, as in access tokens. */
  readonly audience: string;
  readonly clock: Clock;
  readonly algorithms?: readonly string[];
  readonly fetch?: Fetch;
}

/** A statement says who acts now: it is made for one act, and none is taken that could be kept. */
const MAX_LIFETIME_S = 300;

/**
 * Statements of registered systems about the acting professional: a JWT with `iss` = `sub`'s client, `aud`, `exp` at most five minutes
 * after `iat`, `jti`, typ `iua+jwt` or `JWT`, and the IUA extension.
 */
export class JwtProfessionalAssertions extends ProfessionalAssertions {
  private readonly clients: ReadonlyMap<string, { client: RegisteredClient; keys: JWTVerifyGetKey }>;

  constructor(private readonly config: JwtProfessionalAssertionsConfig) {
    super();
    this.clients = new Map(config.clients.map((one) => [one.clientId, { client: one, keys: keysOf(one.keys, config.fetch) }]));
  }

  async verify(jwt: string, principal: Principal): Promise<ActingProfessional> {
    const known = this.clients.get(principal.clientId);
    if (known === undefined) throw new PortolanError('access.assertion-invalid', 'token', 'client is not registered');
    const claims = await verifyJwt(jwt, {
      keys: known.keys,
      issuer: known.client.clientId,
      audience: this.config.audience,
      types: ['jwt', 'iua+jwt'],
      requiredClaims: ['exp', 'iat', 'jti'],
      algorithms: this.config.algorithms ?? TOKEN_ALGORITHMS,
      nowMs: this.config.clock.now(),
      codes: { invalid: 'access.assertion-invalid', expired: 'access.assertion-expired' },
    });
    if ((claims.exp ?? Infinity) - (claims.iat ?? 0) > MAX_LIFETIME_S) {
      throw new PortolanError('access.assertion-expired', 'token', 'valid for longer than five minutes');
    }
    const { clientId, providerSystem } = known.client;
    return { ...actingProfessional(claims, providerSystem), statement: markOf(claims, clientId) };
  }
}

const MAX_JTI_CHARS = 255;

/** RFC 7519 §4.1.7: `jti` is unique within its issuer, so a statement is known again by both. */
function markOf({ jti, exp }: JWTPayload, clientId: string): StatementMark {
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_CHARS)
    throw new PortolanError('access.assertion-invalid', 'token', 'jti');
  return { id: `${clientId} ${jti}`, until: new Date(((exp ?? 0) + LEEWAY_S) * 1000).toISOString() };
}
