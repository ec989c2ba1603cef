import { ASSERTION_ALGORITHMS } from './backend-assertion.js';

/** Content of `.well-known/smart-configuration` (SMART App Launch 2.2, section 8 "Conformance"). */
export interface SmartConfiguration {
  readonly issuer: string;
  readonly jwks_uri: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly token_endpoint_auth_methods_supported: readonly string[];
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[];
  readonly grant_types_supported: readonly string[];
  readonly response_types_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
  readonly scopes_supported: readonly string[];
  readonly capabilities: readonly string[];
}

/**
 * What the node's FHIR API serves at `.well-known/smart-configuration` under its base, so that a hospital's system finds the
 * token endpoint. `issuer` is a provider mounted by this package; `scopes` are those of all its clients.
 */
export function smartConfiguration(issuer: string, scopes: readonly string[]): SmartConfiguration {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    grant_types_supported: ['authorization_code', 'client_credentials'],
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: ['openid', ...new Set(scopes)],
    capabilities: ['client-public', 'client-confidential-asymmetric', ...permissions(scopes)],
  };
}

/** SMART v1 scopes end in read, write or *; v2 scopes in letters of cruds. */
function permissions(scopes: readonly string[]): string[] {
  const v1 = scopes.some((scope) => /\.(?:read|write|\*)$/.test(scope));
  const v2 = scopes.some((scope) => /\.c?r?u?d?s?(?:\?|$)/.test(scope) && !scope.endsWith('.'));
  return [...(v1 ? ['permission-v1'] : []), ...(v2 ? ['permission-v2'] : [])];
}
