import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** Where an issuer's public keys are: given (RFC 7517), or at an address that is asked and remembered. */
export type KeySource = { readonly keys: JSONWebKeySet } | { readonly url: string };

const TIMEOUT_MS = 3_000;
/** A key that is not known is looked for at most this often. */
const COOLDOWN_MS = 10_000;
const MAX_AGE_MS = 600_000;
const MAX_SET_BYTES = 262_144;

/** The fetch that is used for key sets. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>;

/** Finds the key of a token's header in a source. One resolver an issuer, kept, so that its memory is of use. */
export function keysOf(source: KeySource, fetchSet: Fetch = fetch): JWTVerifyGetKey {
  if ('keys' in source) return createLocalJWKSet(source.keys);
  return createRemoteJWKSet(new URL(source.url), {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: MAX_AGE_MS,
    [customFetch]: async (url, options) => bounded(await fetchSet(url, options)),
  });
}

/** The same response with at most MAX_SET_BYTES read of its body. */
async function bounded(response: Response): Promise<Response> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += (piece as Uint8Array).length;
    if (size > MAX_SET_BYTES) throw new RangeError('the key set is too large');
    pieces.push(piece as Uint8Array);
  }
  return new Response(Buffer.concat(pieces), { status: response.status, headers: response.headers });
}
