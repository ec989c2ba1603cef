import { PortolanError, parseBounded } from '@portolan/contracts';
import { callService, type ServiceTls } from './service-http.js';

/** How the node proves itself to the service (SMART Backend Services: client_credentials with private_key_jwt, RFC 7523). */
export interface BackendClient {
  readonly tokenUrl: string;
  readonly scope: string;
  /** A fresh signed assertion for this token endpoint. */
  readonly assertion: (audience: string) => Promise<string>;
}

const MAX_TOKEN_BYTES = 100_000;
const TOKEN_MS = 5_000;
/** A token is not used in its last seconds: it could end on the way. */
const EARLY_MS = 20_000;
const SHORTEST_SECONDS = 30;

/** Bearer tokens of one service, asked for when the last one ends. */
export class BackendTokens {
  private held: { readonly token: string; readonly endsAt: number } | undefined;

  constructor(
    private readonly client: BackendClient,
    private readonly tls: ServiceTls | undefined,
    private readonly now: () => number,
    private readonly where: string,
  ) {}

  async bearer(): Promise<string> {
    if (this.held === undefined || this.held.endsAt - EARLY_MS <= this.now()) this.held = await this.ask();
    return this.held.token;
  }

  /** The service did not take it: the next call asks for another. */
  forget(): void {
    this.held = undefined;
  }

  private async ask(): Promise<{ token: string; endsAt: number }> {
    const { tokenUrl, scope, assertion } = this.client;
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion(tokenUrl),
    }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    const signal = AbortSignal.timeout(TOKEN_MS);
    const where = `${this.where}/token`;
    const url = new URL(tokenUrl);
    const answer = await callService({ url, method: 'POST', headers, body, maxBytes: MAX_TOKEN_BYTES, signal }, this.tls, where);
    if (answer.status >= 500) throw new PortolanError('source.unreachable', where, `HTTP ${answer.status}`);
    if (answer.status !== 200) throw new PortolanError('source.refused', where, `HTTP ${answer.status}`);
    const given = parseBounded(answer.body.toString('utf8'), MAX_TOKEN_BYTES, 'source.answer-invalid', where) as {
      access_token?: unknown;
      expires_in?: unknown;
    };
    if (typeof given.access_token !== 'string' || given.access_token === '') throw new PortolanError('source.answer-invalid', where);
    const seconds = typeof given.expires_in === 'number' ? given.expires_in : SHORTEST_SECONDS;
    return { token: given.access_token, endsAt: this.now() + Math.max(SHORTEST_SECONDS, seconds) * 1_000 };
  }
}
