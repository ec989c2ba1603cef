import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { DemoOpenIdConfig } from './config.js';
import { errorPage, loginPage, pageHeaders } from './login-page.js';
import { interactionPath } from './provider-configuration.js';

/** A form of one field. */
const MAX_FORM_BYTES = 4_096;

/** Serves the login page and takes its click. The cookie of the login ties both to the browser that began it. */
export async function login(
  provider: Provider,
  config: DemoOpenIdConfig,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { uid } = await provider.interactionDetails(request, response);
    const path = interactionPath + uid;
    if (request.method === 'POST' && request.url === path) await logIn(provider, config, request, response);
    else answer(response, ...pageFor(request, path, config));
  } catch (error) {
    // The login was begun elsewhere, or too long ago.
    if (!(error instanceof errors.OIDCProviderError)) throw error;
    answer(response, error.statusCode, errorPage(config.words));
  }
}

function pageFor(request: IncomingMessage, path: string, config: DemoOpenIdConfig): [status: number, html: string] {
  if (request.url !== path) return [404, errorPage(config.words)];
  if (request.method !== 'GET') return [405, errorPage(config.words)];
  return [200, loginPage(config.country, config.accounts, path, config.words)];
}

async function logIn(provider: Provider, config: DemoOpenIdConfig, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = await readForm(request);
  const account = config.accounts.find(({ id }) => id === form?.get('account'));
  if (account === undefined) {
    answer(response, 400, errorPage(config.words));
    return;
  }
  const result = { login: { accountId: account.id, remember: false } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  if (request.headers['content-type']?.split(';')[0] !== 'application/x-www-form-urlencoded') return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_FORM_BYTES) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

function answer(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, pageHeaders).end(html);
}
