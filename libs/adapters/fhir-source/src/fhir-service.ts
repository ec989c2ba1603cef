import { setTimeout as pause } from 'node:timers/promises';
import { PortolanError, type Instant } from '@portolan/contracts';
import { instant, isObject, objects, readResource, textAt, type Resource, type Sha256 } from '@portolan/domain';
import { hexOf } from '@portolan/verify';
import { BackendTokens, type BackendClient } from './backend-token.js';
import { SOURCE_LIMITS, type SourceLimits } from './limits.js';
import { isUnder, retryAfterMs } from './service-answers.js';
import { callService, type ServiceAnswer, type ServiceTls } from './service-http.js';

export interface FhirServiceConfig {
  /** Names the service in failures, logs and audit events. */
  readonly name: string;
  /** The service's base address. Every address asked lies under it. */
  readonly baseUrl: string;
  readonly client?: BackendClient;
  readonly tls?: ServiceTls;
  readonly limits?: Partial<SourceLimits>;
  readonly now: () => number;
  readonly sha256: Sha256;
}

/** A resource as a service gave it, and the account of the answer that it came in. */
export interface Given {
  readonly resource: Resource;
  /** FHIR search entry mode; a single read is a `match`. */
  readonly mode: string;
  readonly time: Instant;
  readonly answer: string;
}

/** One asking: its deadline, and what it has taken so far. */
export interface Asking {
  readonly signal: AbortSignal;
  /** Epoch milliseconds at which it is over. */
  readonly endsAt: number;
  readonly taken: { bytes: number; resources: number; pages: number };
}

const BUSY: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** A hospital's or a country's FHIR R4 service, over its REST API (FHIR R4 §3.1): search with its pages, and read. */
export class FhirService {
  readonly limits: SourceLimits;
  private readonly base: URL;
  private readonly tokens: BackendTokens | undefined;
  /** The service asked to be left alone until then. */
  private busyUntil = 0;

  constructor(private readonly config: FhirServiceConfig) {
    this.limits = { ...SOURCE_LIMITS, ...config.limits };
    this.base = new URL(config.baseUrl.endsWith('/') ? config.baseUrl : `${config.baseUrl}/`);
    const { client, tls, now, name } = config;
    this.tokens = client === undefined ? undefined : new BackendTokens(client, tls, now, name);
  }

  /** An asking that ends `withinMs` from now at the latest. */
  asking(withinMs: number): Asking {
    const ms = Math.max(1, Math.min(withinMs, this.limits.askingMs));
    return { signal: AbortSignal.timeout(ms), endsAt: this.config.now() + ms, taken: { bytes: 0, resources: 0, pages: 0 } };
  }

  /** Every page of a search. Values are percent-encoded here. */
  async search(type: string, parameters: Readonly<Record<string, string>>, asking: Asking): Promise<readonly Given[]> {
    const query = new URLSearchParams(parameters).toString();
    let next: URL | undefined = new URL(`${type}?${query}`, this.base);
    const given: Given[] = [];
    while (next !== undefined) {
      asking.taken.pages += 1;
      if (asking.taken.pages > this.limits.pages) throw this.invalid(type, `more than ${this.limits.pages} pages`);
      const page: { bundle: Resource; found: readonly Given[] } | undefined = await this.page(next, type, asking);
      given.push(...(page?.found ?? []));
      next = page === undefined ? undefined : this.nextOf(page.bundle, next, type);
    }
    return given;
  }

  /** One resource, or undefined where the service has none of this id. */
  async read(type: string, id: string, asking: Asking): Promise<Given | undefined> {
    const where = `${this.config.name}/${type}`;
    const answer = await this.get(new URL(`${type}/${id}`, this.base), where, asking);
    if (answer.status === 404 || answer.status === 410) return undefined;
    const given = this.given(this.resourceOf(answer, where), 'match', answer);
    if (given.resource.resourceType !== type || given.resource['id'] !== id) throw this.invalid(type, 'another resource than was read');
    return this.counted([given], type, asking)[0];
  }

  private async page(url: URL, type: string, asking: Asking): Promise<{ bundle: Resource; found: readonly Given[] } | undefined> {
    const where = `${this.config.name}/${type}`;
    const answer = await this.get(url, where, asking);
    if (answer.status === 404) return undefined;
    const bundle = this.resourceOf(answer, where);
    if (bundle.resourceType !== 'Bundle' || bundle['type'] !== 'searchset') throw this.invalid(type, 'not a searchset');
    const found = objects(bundle['entry']).flatMap((entry) => {
      const { resource } = entry;
      const mode = textAt(entry, 'search', 'mode') ?? 'match';
      if (!isObject(resource) || typeof resource['resourceType'] !== 'string') throw this.invalid(type, 'an entry without a resource');
      if (mode !== 'outcome' && textAt(resource, 'id') === undefined) throw this.invalid(type, 'a resource without an id');
      return mode === 'outcome' ? [] : [this.given(resource as Resource, mode, answer)];
    });
    return { bundle, found: this.counted(found, type, asking) };
  }

  private given(resource: Resource, mode: string, { body }: ServiceAnswer): Given {
    const { now, sha256 } = this.config;
    return { resource, mode, time: instant(now()), answer: hexOf(sha256(new Uint8Array(body))) };
  }

  private counted(given: readonly Given[], type: string, { taken }: Asking): readonly Given[] {
    taken.resources += given.length;
    if (taken.resources > this.limits.resources) throw this.invalid(type, `more than ${this.limits.resources} resources`);
    return given;
  }

  /** The next page, which lies under the base address or is not asked for. */
  private nextOf(bundle: Resource, current: URL, type: string): URL | undefined {
    const link = objects(bundle['link']).find(({ relation }) => relation === 'next');
    const text = link === undefined ? undefined : textAt(link, 'url');
    if (text === undefined) return undefined;
    const next = URL.canParse(text, this.base.href) ? new URL(text, this.base) : undefined;
    if (next === undefined || !isUnder(this.base, next)) throw new PortolanError('source.leads-elsewhere', `${this.config.name}/${type}`);
    if (next.href === current.href) throw this.invalid(type, 'a page that follows itself');
    return next;
  }

  private async get(url: URL, where: string, asking: Asking): Promise<ServiceAnswer> {
    if (this.busyUntil > this.config.now()) throw new PortolanError('source.unreachable', where, 'busy until the time it named');
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.attempt(url, where, asking, attempt);
      if (answer !== undefined) return answer;
    }
  }

  /** Undefined where another attempt is worth it. */
  private async attempt(url: URL, where: string, asking: Asking, attempt: number): Promise<ServiceAnswer | undefined> {
    const last = attempt >= this.limits.attempts;
    const answer = await this.sent(url, where, asking, last);
    if (this.mayRenew(answer, last)) return undefined;
    if (answer !== undefined && !BUSY.has(answer.status)) return this.accepted(answer, where);
    const retryAfter = answer?.headers['retry-after'];
    if (last) this.leaveAlone(retryAfter);
    if (last) throw new PortolanError('source.unreachable', where, `HTTP ${answer?.status ?? 0}`);
    await this.rest(attempt, retryAfter, where, asking);
    return undefined;
  }

  /** A token that is not taken any more is given up, and another asked for. */
  private mayRenew(answer: ServiceAnswer | undefined, last: boolean): boolean {
    if (answer?.status !== 401 || last || this.tokens === undefined) return false;
    this.tokens.forget();
    return true;
  }

  /** Undefined where nothing came back and another attempt is worth it. */
  private async sent(url: URL, where: string, asking: Asking, last: boolean): Promise<ServiceAnswer | undefined> {
    try {
      return await this.send(url, where, asking);
    } catch (error) {
      if (last || asking.signal.aborted || !(error instanceof PortolanError) || !error.retriable) throw error;
      return undefined;
    }
  }

  private async send(url: URL, where: string, { signal, taken }: Asking): Promise<ServiceAnswer> {
    const headers: Record<string, string> = { accept: 'application/fhir+json' };
    if (this.tokens !== undefined) headers['authorization'] = `Bearer ${await this.tokens.bearer()}`;
    const maxBytes = Math.min(this.limits.answerBytes, this.limits.totalBytes - taken.bytes);
    const answer = await callService(
      { url, method: 'GET', headers, maxBytes, signal: AbortSignal.any([signal, AbortSignal.timeout(this.limits.answerMs)]) },
      this.config.tls,
      where,
    );
    taken.bytes += answer.body.length;
    return answer;
  }

  private accepted(answer: ServiceAnswer, where: string): ServiceAnswer {
    const { status } = answer;
    if (status === 200 || status === 404 || status === 410) return answer;
    if (status >= 300 && status < 400) throw new PortolanError('source.leads-elsewhere', where, `HTTP ${status}`);
    throw new PortolanError('source.refused', where, `HTTP ${status}`);
  }

  /**
   * A growing pause, or the one that the service asks for. One that is longer than the asking's own time is kept, too: the asking ends
   * at once, and the service is left alone until then.
   */
  private async rest(attempt: number, retryAfter: string | undefined, where: string, { signal, endsAt }: Asking): Promise<void> {
    const now = this.config.now();
    const named = retryAfterMs(retryAfter, now);
    const ms = named ?? 100 * 2 ** attempt;
    if (named !== undefined && now + named >= endsAt) {
      this.leaveAlone(retryAfter);
      throw new PortolanError('source.unreachable', where, 'busy for longer than this asking has');
    }
    await pause(ms, undefined, { signal }).catch(() => {
      throw new PortolanError('source.unreachable', where, 'no time left');
    });
  }

  private leaveAlone(retryAfter: string | undefined): void {
    const now = this.config.now();
    this.busyUntil = now + Math.min(retryAfterMs(retryAfter, now) ?? 0, this.limits.longestRestMs);
  }

  private resourceOf({ status, headers, body }: ServiceAnswer, where: string): Resource {
    if (status !== 200) throw new PortolanError('source.refused', where, `HTTP ${status}`);
    const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/fhir+json' && type !== 'application/json')
      throw new PortolanError('source.answer-invalid', where, 'not application/fhir+json');
    try {
      return readResource(new TextDecoder('utf-8', { fatal: true }).decode(body), where);
    } catch {
      throw new PortolanError('source.answer-invalid', where, 'no FHIR JSON');
    }
  }

  private invalid(type: string, detail: string): PortolanError {
    return new PortolanError('source.answer-invalid', `${this.config.name}/${type}`, detail);
  }
}
