import {
  parseBounded,
  PortolanError,
  type CompactJws,
  type OrderedAttestation,
  type OrderedAttestations,
  type OrderedBlock,
  type OrderedBlocks,
  type Validators,
} from '@portolan/contracts';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { OrdererLink } from '../chain/orderer-link.js';
import { errorIn } from '../orderer/orderer-door.js';

export interface TlsOrdererLinkOptions {
  readonly host: string;
  readonly port: number;
  /** PEM: PKCS#8 key of the registered TLS key, certificate chain, and the CA of the orderer's organisation. */
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: readonly string[] };
  readonly validators: Validators;
  /** How long an answer may take beside what was asked to wait, milliseconds. */
  readonly timeoutMs?: number;
}

interface Answer {
  readonly status: number;
  readonly value: unknown;
}

const answerBytes = 32_000_000;

/** The orderer over mutual TLS 1.3. It pins the CA of the orderer's organisation; what the orderer says is believed by its signature alone. */
export class TlsOrdererLink implements OrdererLink {
  private readonly agent: Agent;

  constructor(private readonly options: TlsOrdererLinkOptions) {
    const { key, cert, ca } = options.tls;
    this.agent = new Agent({ keepAlive: true, maxSockets: 16, key, cert, ca: [...ca], minVersion: 'TLSv1.3' });
  }

  async submit(jws: CompactJws): Promise<void> {
    await this.ask('POST', '/tx', jws);
  }

  async attest(attestations: readonly CompactJws[]): Promise<void> {
    await this.ask('POST', '/attestations', JSON.stringify({ v: 1, attestations }));
  }

  async blocks(from: number, waitMs: number, until?: AbortSignal): Promise<readonly OrderedBlock[]> {
    const answer = await this.ask('GET', `/blocks?from=${from}&wait=${Math.trunc(waitMs)}`, undefined, waitMs, until);
    return this.options.validators.check<OrderedBlocks>('ordered-blocks', answer, 'orderer.answer-malformed', 'blocks').blocks;
  }

  async attestations(after: number, waitMs: number, until?: AbortSignal): Promise<readonly OrderedAttestation[]> {
    const answer = await this.ask('GET', `/attestations?after=${after}&wait=${Math.trunc(waitMs)}`, undefined, waitMs, until);
    return this.options.validators.check<OrderedAttestations>('ordered-attestations', answer, 'orderer.answer-malformed', 'attestations')
      .attestations;
  }

  close(): void {
    this.agent.destroy();
  }

  private async ask(method: string, path: string, body?: string, waitMs = 0, until?: AbortSignal): Promise<unknown> {
    const patience = AbortSignal.timeout(waitMs + (this.options.timeoutMs ?? 10_000));
    const signal = until === undefined ? patience : AbortSignal.any([until, patience]);
    const { status, value } = await this.exchange(method, path, body, signal).catch((error: unknown) => {
      if (error instanceof PortolanError) throw error;
      throw new PortolanError('ledger.unreachable', `orderer ${this.options.host}:${this.options.port}`, codeOf(error), { cause: error });
    });
    if (status === 200) return value;
    const told = errorIn(value);
    if (told === undefined) throw new PortolanError('orderer.answer-malformed', `status ${status}`);
    throw new PortolanError(told.code, told.where, 'said the orderer');
  }

  private async exchange(method: string, path: string, body: string | undefined, signal: AbortSignal): Promise<Answer> {
    const { host, port } = this.options;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({
        host,
        port,
        method,
        path,
        agent: this.agent,
        signal,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
      });
      sent.on('response', resolve);
      sent.on('error', reject);
      sent.end(body);
    });
    const text = await textOf(response);
    return {
      status: response.statusCode ?? 0,
      value: parseBounded(text, answerBytes, 'orderer.answer-malformed', path.split('?')[0] ?? path),
    };
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > answerBytes) throw new PortolanError('orderer.answer-malformed', 'length');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Node's own error code (ECONNREFUSED …), which names no content. */
function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
