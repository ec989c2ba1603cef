import { randomUUID } from 'node:crypto';
import type { Actor, NodeConfig, Purpose } from '@portolan/contracts';
import { signClientAssertion, signProfessionalAssertion } from '@portolan/jose';
import type { DemoClinician } from '../world/demo-people.js';
import type { ProvisionedCountry } from '../world/provision-world.js';
import { demoLogin } from './demo-login.js';

/** An answer over HTTP, with its body as text: exact bytes matter. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface Call {
  readonly method?: string;
  readonly token?: string;
  /** The statement about the acting professional (IHE IUA). */
  readonly acting?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What stands outside of one country's node: its hospital's system, its clinicians, its people. Everything goes over real sockets. */
export class CountryClient {
  private system: { token: string; until: number } | undefined;

  /** `heard`: told of each answer, before whoever asked. */
  constructor(
    private readonly country: ProvisionedCountry,
    private readonly heard?: (answer: Answer) => Promise<void>,
  ) {}

  get config(): NodeConfig {
    return this.country.config;
  }

  get base(): string {
    return `http://${this.config.http.host}:${this.config.http.port}`;
  }

  async call(path: string, call: Call = {}): Promise<Answer> {
    const { token, acting, body, type, headers } = call;
    const response = await fetch(path.startsWith('http') ? path : `${this.base}${path}`, {
      method: call.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...who({ token, acting }),
        ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const answer: Answer = { status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T };
    await this.heard?.(answer);
    return answer;
  }

  /** Access token of the hospital's system (SMART Backend Services), renewed before it ends. */
  async systemToken(): Promise<string> {
    if (this.system !== undefined && this.system.until > Date.now()) return this.system.token;
    const { issuer, audience } = this.config.openid;
    const { clientId, key } = this.country.hospital;
    const endpoint = `${issuer}/token`;
    const assertion = await signClientAssertion(clientId, endpoint, key, { nowMs: Date.now(), lifetimeSeconds: 120, jti: randomUUID() });
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/*.read system/*.write',
      resource: audience,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    const answer = await this.call(endpoint, { body: form.toString(), type: 'application/x-www-form-urlencoded' });
    if (answer.status !== 200) throw new Error(`the token endpoint answered ${answer.status}: ${answer.text}`);
    const { access_token: token, expires_in: seconds } = answer.json<{ access_token: string; expires_in: number }>();
    this.system = { token, until: Date.now() + (seconds - 30) * 1000 };
    return token;
  }

  /** The hospital's statement about who acts in one call. */
  actingStatement(clinician: DemoClinician, purpose: Purpose): Promise<string> {
    const { clientId, key } = this.country.hospital;
    const actor: Actor = {
      kind: 'professional',
      name: clinician.name,
      id: clinician.nationalId,
      role: clinician.role,
      organisation: clinician.organisation,
    };
    const times = { nowMs: Date.now(), lifetimeSeconds: 240, jti: randomUUID() };
    return signProfessionalAssertion(clientId, this.config.openid.audience, { actor, purpose }, key, times);
  }

  /** A FHIR call as a named clinician makes it through the hospital's system. */
  async clinical(clinician: DemoClinician, path: string, body?: unknown, purpose: Purpose = 'TREAT'): Promise<Answer> {
    const [token, acting] = [await this.systemToken(), await this.actingStatement(clinician, purpose)];
    return this.call(path, { token, acting, ...(body === undefined ? {} : { body: JSON.stringify(body), type: 'application/fhir+json' }) });
  }

  /** Bearer token of a person, a regulator or an operator, through the provider's real pages. */
  async login(accountId: string): Promise<string> {
    return demoLogin(this.config.openid.issuer, accountId);
  }
}

const who = ({ token, acting }: { token: string | undefined; acting: string | undefined }): Record<string, string> => ({
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  ...(acting === undefined ? {} : { 'portolan-acting-professional': acting }),
});
