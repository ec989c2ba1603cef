import { createHash, randomBytes } from 'node:crypto';
import { PortolanError } from '@portolan/contracts';
import { escapeHtml } from './login-page.js';

/** Whose login to play, and for which app. */
export interface CodeFlowWalk {
  readonly issuer: string;
  readonly accountId: string;
  readonly clientId: string;
  /** A registered one; nobody has to listen there. */
  readonly redirectUri: string;
  /** With `openid` and separated by spaces. */
  readonly scope: string;
}

export interface WalkedTokens {
  readonly accessToken: string;
  readonly idToken: string | undefined;
  readonly expiresInSeconds: number;
  readonly scope: string | undefined;
}

/** Discovery → login page → click → redirect → token takes five to seven answers. */
const MAX_REDIRECTS = 8;
const TIMEOUT_MS = 10_000;
const MAX_ANSWER_CHARS = 200_000;

/**
 * Walks authorization code + PKCE (RFC 6749, RFC 7636) through the provider's real pages, as a browser without JavaScript
 * would, and answers with the tokens. The `portolan token --as` command does this.
 *
 * Throws `auth.account-unknown`, `auth.provider-unreachable`, `auth.login-failed` with the step.
 */
export async function walkCodeFlow(walk: CodeFlowWalk): Promise<WalkedTokens> {
  const browser = new Browser(walk.issuer);
  const endpoints = await discover(browser, walk.issuer);
  const [verifier, state, nonce] = [secret(), secret(), secret()];
  const asked = new URL(endpoints.authorization);
  asked.search = new URLSearchParams({
    client_id: walk.clientId,
    response_type: 'code',
    redirect_uri: walk.redirectUri,
    scope: walk.scope,
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const loginPage = await browser.follow(asked, walk.redirectUri);
  const back = loginPage.arrived ? loginPage.at : await click(browser, loginPage, walk);
  return exchange(browser, endpoints.token, codeOf(back, walk.issuer, state), verifier, walk);
}

async function discover(browser: Browser, issuer: string): Promise<{ authorization: string; token: string }> {
  const metadata = await browser.json('discovery', `${issuer}/.well-known/openid-configuration`);
  const { authorization_endpoint: authorization, token_endpoint: token } = metadata;
  if (metadata['issuer'] !== issuer || typeof authorization !== 'string' || typeof token !== 'string') throw failed('discovery');
  return { authorization, token };
}

async function click(browser: Browser, page: Page, walk: CodeFlowWalk): Promise<URL> {
  const action = /<form method="post" action="([^"]+)">/.exec(page.html)?.[1];
  if (action === undefined) throw failed('login page');
  if (!page.html.includes(`name="account" value="${escapeHtml(walk.accountId)}"`))
    throw new PortolanError('auth.account-unknown', walk.issuer);
  const after = await browser.follow(new URL(action, page.at), walk.redirectUri, new URLSearchParams({ account: walk.accountId }));
  if (!after.arrived) throw failed('login');
  return after.at;
}

function codeOf(back: URL, issuer: string, state: string): string {
  const { searchParams: answer } = back;
  // RFC 9207: the answer names the provider that it comes from.
  if (answer.get('state') !== state || answer.get('iss') !== issuer) throw failed('redirect');
  const code = answer.get('code');
  if (code === null) throw failed(`authorization (${oauthCode(answer.get('error'))})`);
  return code;
}

async function exchange(browser: Browser, endpoint: string, code: string, verifier: string, walk: CodeFlowWalk): Promise<WalkedTokens> {
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: walk.redirectUri,
    client_id: walk.clientId,
    code_verifier: verifier,
  };
  const answer = await browser.json('token', endpoint, new URLSearchParams(form));
  const { access_token: accessToken, id_token: idToken, expires_in: expiresIn, scope } = answer;
  if (typeof accessToken !== 'string' || typeof expiresIn !== 'number') throw failed('token');
  return {
    accessToken,
    idToken: typeof idToken === 'string' ? idToken : undefined,
    expiresInSeconds: expiresIn,
    scope: typeof scope === 'string' ? scope : undefined,
  };
}

interface Page {
  readonly at: URL;
  readonly html: string;
  /** Whether `at` is the app's redirect address, which is not fetched. */
  readonly arrived: boolean;
}

/** As much of a browser as a login needs: cookies of one origin, and redirects followed by hand. */
class Browser {
  private readonly cookies = new Map<string, string>();

  constructor(private readonly origin: string) {}

  async follow(from: URL, until: string, form?: URLSearchParams): Promise<Page> {
    let [at, body] = [from, form];
    for (let i = 0; i < MAX_REDIRECTS; i += 1) {
      const response = await this.fetch(at, body);
      const location = response.headers.get('location');
      if (response.status >= 400) throw failed(`${at.pathname.split('/')[1] ?? ''} (HTTP ${response.status})`);
      if (location === null) return { at, html: await bounded(response), arrived: false };
      [at, body] = [new URL(location, at), undefined];
      if (at.href === until || at.href.startsWith(`${until}?`)) return { at, html: '', arrived: true };
      if (at.origin !== new URL(this.origin).origin) throw failed('redirect to a foreign address');
    }
    throw failed('too many redirects');
  }

  async json(step: string, url: string, form?: URLSearchParams): Promise<Record<string, unknown>> {
    const response = await this.fetch(new URL(url), form);
    const answer = objectOf(await bounded(response));
    if (!response.ok || answer === undefined) throw failed(`${step} (${oauthCode(answer?.['error'])}, HTTP ${response.status})`);
    return answer;
  }

  private async fetch(url: URL, form?: URLSearchParams): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    try {
      const response = await fetch(url, {
        method: form === undefined ? 'GET' : 'POST',
        ...(form && { body: form }),
        headers: { ...(cookie !== '' && { cookie }) },
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      for (const set of response.headers.getSetCookie()) this.keep(set);
      return response;
    } catch (error) {
      throw new PortolanError('auth.provider-unreachable', this.origin, undefined, { cause: error });
    }
  }

  private keep(setCookie: string): void {
    const [pair = ''] = setCookie.split(';');
    const cut = pair.indexOf('=');
    if (cut > 0) this.cookies.set(pair.slice(0, cut), pair.slice(cut + 1));
  }
}

async function bounded(response: Response): Promise<string> {
  const text = await response.text();
  if (text.length > MAX_ANSWER_CHARS) throw failed('an answer too long');
  return text;
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** OAuth error codes are words of a registry; anything else is not repeated. */
function oauthCode(code: unknown): string {
  return typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? code : 'no code';
}

function failed(step: string): PortolanError {
  return new PortolanError('auth.login-failed', step);
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}
