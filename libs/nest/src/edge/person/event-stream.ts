import type { ServerResponse } from 'node:http';

/** What is used of Fastify's reply. */
export interface StreamReply {
  /** Takes the answer out of Fastify's hands. */
  hijack(): unknown;
  readonly raw: ServerResponse;
}

/** What a client waits before it comes back after the stream broke, milliseconds. */
const RETRY_MS = 1_000;

/** One answer as server-sent events (HTML Living Standard, section 9.2). */
export class EventStream {
  private readonly out: ServerResponse;

  /** @param onDrained called when a client that had been too slow has read what was written */
  constructor(reply: StreamReply, onDrained: () => void) {
    reply.hijack();
    this.out = reply.raw;
    this.out.on('drain', onDrained);
    // A client that went away is no failure of ours.
    this.out.on('error', () => undefined);
    this.out.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    this.out.write(`retry: ${RETRY_MS}\n\n`);
  }

  get open(): boolean {
    return !this.out.writableEnded && !this.out.destroyed;
  }

  /** Whether the client reads slower than is written: what comes next waits, and stays in the database until then. */
  get full(): boolean {
    return this.out.writableNeedDrain;
  }

  event(name: string, id: string, data: unknown): void {
    this.out.write(`event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Keeps the connection alive through what stands between here and the client. */
  heartbeat(): void {
    this.out.write(': here\n\n');
  }

  end(): void {
    if (this.open) this.out.end();
  }
}
