import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What is still read of a body that was refused, in bytes and milliseconds. */
export interface Leniency {
  readonly bytes: number;
  readonly ms: number;
}

export const LENIENCY: Leniency = { bytes: 100_000_000, ms: 10_000 };

/**
 * A body that is refused for its size is read to its end, and thrown away, before its sender is answered. A connection that is closed on bytes which
 * nobody read is reset, and most clients then tell of a broken pipe and never show the answer that says why (RFC 9112, section 9.6). Whoever goes
 * on sending for longer than our patience is answered then, and cut off.
 */
export function readRefusedBodies(leniency: Leniency) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    if (reply.statusCode === 413) await readToEnd(request.raw, leniency);
    return payload;
  };
}

function readToEnd(raw: IncomingMessage, { bytes, ms }: Leniency): Promise<void> {
  if (raw.complete || raw.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let read = 0;
    const enough = (): void => {
      clearTimeout(timer);
      raw.off('data', count).off('end', enough).off('close', enough);
      resolve();
    };
    const count = (chunk: Buffer): void => {
      read += chunk.length;
      if (read > bytes) enough();
    };
    const timer = setTimeout(enough, ms);
    raw.on('data', count).once('end', enough).once('close', enough).resume();
  });
}
