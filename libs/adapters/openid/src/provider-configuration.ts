import { randomBytes } from 'node:crypto';
import type {
  AccessToken,
  AllClientMetadata,
  ClientCredentials,
  ClientMetadata,
  Configuration,
  KoaContextWithOIDC,
  ResourceServer,
} from 'oidc-provider';
import { errors, type default as Provider } from 'oidc-provider';
import { ASSERTION_ALGORITHMS, checkBackendAssertion } from './backend-assertion.js';
import type { BackendSystem, DemoAccount, DemoApp, DemoOpenIdConfig } from './config.js';
import { errorPage } from './login-page.js';
import { memoryStore } from './memory-store.js';
import { grantScopes } from './scopes.js';

/** Longest life of an access token, seconds. */
export const TOKEN_SECONDS = 300;
const CLOCK_TOLERANCE_SECONDS = 5;
const LOGIN_SECONDS = 600;
const SESSION_SECONDS = 3_600;

/** Where a login that needs a person goes on; the page of login.ts. */
export const interactionPath = '/interaction/';

/** Everything that `oidc-provider` is told: one country's people, apps and systems, and nothing that is not used. */
export function providerConfiguration(config: DemoOpenIdConfig, tokenEndpoint: string): Configuration {
  const accounts = new Map(config.accounts.map((account) => [account.id, account]));
  const scopesOf = new Map([...config.apps, ...config.systems].map(({ clientId, scopes }) => [clientId, scopes]));
  return {
    adapter: memoryStore(),
    clients: [...config.apps.map(appMetadata), ...config.systems.map(systemMetadata)],
    clientDefaults: { id_token_signed_response_alg: 'ES256' } satisfies AllClientMetadata,
    jwks: { keys: [{ ...config.signingKey, use: 'sig', alg: 'ES256' }] },
    // A restart ends all logins, as it ends the store.
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    scopes: ['openid'],
    claims: { openid: ['sub', 'name'] },
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    pkce: { required: () => true },
    clientAuthMethods: ['none', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS], idTokenSigningAlgValues: ['ES256'] },
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    ttl: lifetimes(),
    interactions: { url: (_ctx, interaction) => `${interactionPath}${interaction.uid}` },
    features: features(config, scopesOf),
    findAccount: (_ctx, id) => accountOf(accounts.get(id)),
    loadExistingGrant: (ctx) => wholeGrant(ctx, config.audience),
    extraTokenClaims: (_ctx, token) => tokenClaims(token, accounts),
    assertJwtClientAuthClaimsAndHeader: (_ctx, claims, header) =>
      checkBackendAssertion(claims, header, {
        tokenEndpoint,
        nowSeconds: Date.now() / 1000,
        clockToleranceSeconds: CLOCK_TOLERANCE_SECONDS,
      }),
    clientBasedCORS: (_ctx, origin, client) => (client.redirectUris ?? []).some((uri) => new URL(uri).origin === origin),
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = errorPage(config.words, out.error);
    },
  };
}

function lifetimes(): Configuration['ttl'] {
  return {
    AccessToken: TOKEN_SECONDS,
    ClientCredentials: TOKEN_SECONDS,
    IdToken: TOKEN_SECONDS,
    AuthorizationCode: 60,
    Interaction: LOGIN_SECONDS,
    Grant: SESSION_SECONDS,
    Session: SESSION_SECONDS,
  };
}

function features(config: DemoOpenIdConfig, scopesOf: ReadonlyMap<string, readonly string[]>): Configuration['features'] {
  const off = { enabled: false };
  return {
    devInteractions: off,
    dPoP: off,
    pushedAuthorizationRequests: off,
    rpInitiatedLogout: off,
    userinfo: off,
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => config.audience,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, indicator, client) => api(ctx, indicator, config.audience, scopesOf.get(client.clientId) ?? []),
    },
  };
}

/** The node's API as a resource server: JWT access tokens (RFC 9068), for this one audience. */
function api(ctx: KoaContextWithOIDC, indicator: string, audience: string, allowed: readonly string[]): ResourceServer {
  if (indicator !== audience) throw new errors.InvalidTarget('resource is not the API of this node');
  const { scope, grant_type: grant } = ctx.oidc.params ?? {};
  const granted = grantScopes(typeof scope === 'string' ? scope : undefined, allowed);
  if (grant === 'client_credentials' && granted.length === 0) throw new errors.InvalidScope('a scope is needed', '');
  return {
    scope: allowed.join(' '),
    audience,
    accessTokenTTL: TOKEN_SECONDS,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  };
}

function appMetadata(app: DemoApp): ClientMetadata {
  return {
    client_id: app.clientId,
    client_name: app.name,
    // `web`: a native client may not be sent back to an http address by name.
    application_type: 'web',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: app.redirectUris,
  };
}

function systemMetadata(system: BackendSystem): ClientMetadata {
  return {
    client_id: system.clientId,
    client_name: system.name,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: system.jwks,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  };
}

function accountOf(account: DemoAccount | undefined): { accountId: string; claims: () => { sub: string; name: string } } | undefined {
  return account && { accountId: account.id, claims: () => ({ sub: account.id, name: account.name }) };
}

/** The apps are the country's own: logging in is all the consent that the demonstration asks for. */
async function wholeGrant(ctx: KoaContextWithOIDC, audience: string): Promise<InstanceType<Provider['Grant']>> {
  const { provider, client, session, requestParamScopes } = ctx.oidc;
  const grant = new provider.Grant({ clientId: client?.clientId, accountId: session?.accountId });
  grant.addOIDCScope('openid');
  grant.addResourceScope(audience, [...requestParamScopes].filter((scope) => scope !== 'openid').join(' '));
  await grant.save();
  return grant;
}

/** Who this is, as libs/adapters/jose reads it: `ptl_kind`, `ptl_person`, `name`. A system's token needs no more than `sub`. */
function tokenClaims(
  token: AccessToken | ClientCredentials,
  accounts: ReadonlyMap<string, DemoAccount>,
): Record<string, unknown> | undefined {
  const account = token.kind === 'AccessToken' ? accounts.get(token.accountId) : undefined;
  return (
    account && { ...account.claims, ptl_kind: account.kind, name: account.name, ...(account.person && { ptl_person: account.person }) }
  );
}
