import { setTimeout as pause } from 'node:timers/promises';

/** One server-sent event (HTML Living Standard, section 9.2). */
export interface StreamedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
  /** When it arrived here, milliseconds. */
  readonly arrivedAt: number;
}

/** Listens to a person's events as her browser would. */
export class EventStream {
  readonly events: StreamedEvent[] = [];
  private readonly stopped = new AbortController();

  private constructor() {
    return;
  }

  static async open(url: string, token: string): Promise<EventStream> {
    const stream = new EventStream();
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      signal: stream.stopped.signal,
    });
    if (response.status !== 200 || response.body === null) throw new Error(`the event stream answered ${response.status}`);
    void stream.read(response.body);
    return stream;
  }

  /** Waits until an event fits. */
  async wait(fits: (event: StreamedEvent) => boolean, withinMs: number): Promise<StreamedEvent> {
    const end = Date.now() + withinMs;
    for (;;) {
      const found = this.events.find(fits);
      if (found !== undefined) return found;
      if (Date.now() > end) throw new Error(`no such event within ${withinMs} ms; ${this.events.length} others came`);
      await pause(20);
    }
  }

  close(): void {
    this.stopped.abort();
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of body) {
        rest += decoder.decode(chunk, { stream: true });
        const blocks = rest.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) this.take(block);
      }
    } catch (error) {
      if (!this.stopped.signal.aborted) throw error;
    }
  }

  private take(block: string): void {
    const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
    const data = fields.get('data');
    if (data === undefined) return;
    this.events.push({
      id: fields.get('id') ?? '',
      event: fields.get('event') ?? 'message',
      data: JSON.parse(data) as Record<string, unknown>,
      arrivedAt: Date.now(),
    });
  }
}
