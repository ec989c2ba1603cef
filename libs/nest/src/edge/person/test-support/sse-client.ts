import { setTimeout as pause } from 'node:timers/promises';

export interface Heard {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
  readonly at: number;
}

/** A browser's side of one event stream (HTML Living Standard, section 9.2). */
export class SseClient {
  readonly heard: Heard[] = [];
  comments = 0;
  ended = false;
  private onClose = (): void => undefined;

  private constructor(readonly response: Response) {}

  static async open(url: string, token: string, lastEventId?: string): Promise<SseClient> {
    const stop = new AbortController();
    const headers = { authorization: `Bearer ${token}`, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) };
    const client = new SseClient(await fetch(url, { headers, signal: stop.signal }));
    client.onClose = (): void => {
      stop.abort();
    };
    if (client.response.status === 200) void client.read().catch(() => (client.ended = true));
    else client.ended = true;
    return client;
  }

  close(): void {
    this.onClose();
  }

  async until(holds: () => boolean, ms = 5_000): Promise<void> {
    const end = Date.now() + ms;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`not within ${ms} ms; ${this.heard.length} events came`);
      await pause(5);
    }
  }

  private async read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of this.response.body as unknown as AsyncIterable<Uint8Array>) {
      rest += decoder.decode(chunk, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.take(block);
    }
    this.ended = true;
  }

  private take(block: string): void {
    if (block.startsWith(':')) this.comments += 1;
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const data = field('data');
    if (data === undefined) return;
    const parsed = JSON.parse(data) as Record<string, unknown>;
    this.heard.push({ id: field('id') ?? '', event: field('event') ?? '', data: parsed, at: Date.now() });
  }
}
