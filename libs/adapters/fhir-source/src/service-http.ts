import { request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { PortolanError } from '@portolan/contracts';

/** Mutual TLS towards the service, and the authorities that its certificate may come from; the machine's own where absent. */
export interface ServiceTls {
  readonly ca?: string;
  readonly key?: string;
  readonly cert?: string;
}

export interface ServiceCall {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Sends one call, follows no redirect, and takes at most `maxBytes`. A failure on the way is `source.unreachable`. */
export async function callService(call: ServiceCall, tls: ServiceTls | undefined, where: string): Promise<ServiceAnswer> {
  const { url, method, headers, body, maxBytes, signal } = call;
  const options: RequestOptions = { method, headers: { ...headers, connection: 'close' }, signal };
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = url.protocol === 'https:' ? tlsRequest(url, { ...options, ...tls, minVersion: 'TLSv1.2' }) : plainRequest(url, options);
      sent.on('response', resolve).on('error', reject);
      sent.end(body);
    });
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await bounded(answer, maxBytes, where) };
  } catch (cause) {
    if (cause instanceof PortolanError) throw cause;
    throw new PortolanError('source.unreachable', where, codeOf(cause));
  }
}

async function bounded(answer: IncomingMessage, maxBytes: number, where: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      answer.destroy();
      throw new PortolanError('source.answer-invalid', where, `longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A system's or TLS's code, never a message: that may quote an address with a person in it. */
function codeOf(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
