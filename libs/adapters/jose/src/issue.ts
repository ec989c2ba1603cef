import { exportJWK, generateKeyPair, SignJWT, type JSONWebKeySet, type JWK, type JWTPayload } from 'jose';
import type { Actor, Purpose } from '@portolan/contracts';
import type { PrivateKeyHandle } from '@portolan/domain';
import { organisationUri } from './iua.js';

/** A key that signs JWTs, with the public half that others verify under. */
export interface JwtKey {
  readonly kid: string;
  readonly alg: 'ES256' | 'ES384';
  readonly privateKey: PrivateKeyHandle;
  readonly publicJwk: JWK;
}

/** A fresh key; `kid` is the caller's. */
export async function generateJwtKey(kid: string, alg: JwtKey['alg'] = 'ES256'): Promise<JwtKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: false });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** RFC 7517 key set of the public halves. */
export function jwksOf(keys: readonly JwtKey[]): JSONWebKeySet {
  return { keys: keys.map((key) => key.publicJwk) };
}

/** A signed JWT with exactly these claims. */
export async function signJwt(claims: JWTPayload, key: JwtKey, typ: string): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, typ }).sign(key.privateKey);
}

/** When a token is made, how long it holds, and its unique id. */
export interface TokenTimes {
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
  readonly jti: string;
}

function timed({ nowMs, lifetimeSeconds, jti }: TokenTimes): JWTPayload {
  const iat = Math.floor(nowMs / 1000);
  return { iat, exp: iat + lifetimeSeconds, jti };
}

/** Client authentication by private_key_jwt (RFC 7523; SMART Backend Services): `audience` is the token endpoint. */
export async function signClientAssertion(clientId: string, audience: string, key: JwtKey, times: TokenTimes): Promise<string> {
  return signJwt({ iss: clientId, sub: clientId, aud: audience, ...timed(times) }, key, 'JWT');
}

/** What a statement about the acting professional says. */
export interface ProfessionalStatement {
  readonly actor: Actor;
  readonly purpose: Purpose;
  readonly personId?: string;
}

/** The IUA claims of a statement, to stand in a token as they are. */
export function iuaExtension(statement: ProfessionalStatement): JWTPayload {
  const { actor, purpose, personId } = statement;
  return {
    extensions: {
      ihe_iua: {
        subject_name: actor.name,
        subject_organization: actor.organisation.name,
        subject_organization_id: organisationUri(actor.organisation.id),
        subject_role: [{ system: 'http://terminology.hl7.org/CodeSystem/practitioner-role', code: actor.role }],
        purpose_of_use: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: purpose }],
        national_provider_identifier: actor.id.value,
        ...(personId === undefined ? {} : { person_id: personId }),
      },
    },
  };
}

/** A system's statement about who acts in one call, for `JwtProfessionalAssertions`; `audience` is the node's resource identifier. */
export async function signProfessionalAssertion(
  clientId: string,
  audience: string,
  statement: ProfessionalStatement,
  key: JwtKey,
  times: TokenTimes,
): Promise<string> {
  return signJwt({ iss: clientId, sub: clientId, aud: audience, ...timed(times), ...iuaExtension(statement) }, key, 'iua+jwt');
}
