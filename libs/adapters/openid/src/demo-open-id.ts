import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { PortolanError } from '@portolan/contracts';
import Provider from 'oidc-provider';
import type { DemoOpenIdConfig } from './config.js';
import { login } from './login.js';
import { interactionPath, providerConfiguration } from './provider-configuration.js';

/** One country's demo provider while it runs. */
export interface DemoOpenId {
  /** `iss` of its tokens; discovery stands at `<issuer>/.well-known/openid-configuration`, keys at `<issuer>/jwks`. */
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  /** Answers nothing more. The server is the caller's to close. */
  unmount(): void;
}

/**
 * Mounts a country's demo OpenID provider on a server that listens on loopback: code + PKCE for people, SMART Backend
 * Services (`client_credentials` with `private_key_jwt`) for systems, ES256 JWT access tokens for the node's API.
 *
 * Throws `auth.demo-only` where the configuration does not say `demo: true`, `auth.not-loopback` where other machines
 * could reach the server.
 */
export function mountDemoOpenId(server: Server, config: DemoOpenIdConfig): DemoOpenId {
  if (!config.demo) throw new PortolanError('auth.demo-only', `openid provider of ${config.country}`);
  const issuer = issuerOf(server, config.country);
  const tokenEndpoint = `${issuer}/token`;
  const provider = new Provider(issuer, providerConfiguration(config, tokenEndpoint));
  const serve = provider.callback();
  const host = new URL(issuer).host;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    // Addresses are made from the Host header: under another name (DNS rebinding) nothing is served.
    if (request.headers.host !== host) response.writeHead(421).end();
    else if (request.url?.startsWith(interactionPath) === true) login(provider, config, request, response).catch(() => fail(response));
    else void serve(request, response);
  };
  server.on('request', listener);
  return { issuer, tokenEndpoint, jwksUri: `${issuer}/jwks`, unmount: () => server.off('request', listener) };
}

function issuerOf(server: Server, country: string): string {
  const address = server.address();
  if (address === null || typeof address === 'string' || !['127.0.0.1', '::1'].includes(address.address))
    throw new PortolanError('auth.not-loopback', `openid provider of ${country}`);
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

function fail(response: ServerResponse): void {
  if (!response.headersSent) response.writeHead(500);
  response.end();
}
