import type { ErrorCode } from '@portolan/contracts';
import { logLevel, type LogEntry } from 'kafkajs';

/** Where the adapter tells what happens, in texts of its own and codes of the registry; a node's logger is one. */
export interface KafkaLog {
  failure(message: string, code: ErrorCode, error?: unknown): void;
}

/** The same complaint is told once in so long: a broker that is away is met at each attempt. */
const QUIET_MS = 10_000;

/** Tells each complaint once in a while. */
export class QuietLog implements KafkaLog {
  private readonly toldAt = new Map<string, number>();

  constructor(private readonly log: KafkaLog) {}

  failure(message: string, code: ErrorCode, error?: unknown): void {
    const now = performance.now();
    const complaint = `${code} ${message}`;
    if (now - (this.toldAt.get(complaint) ?? -Infinity) < QUIET_MS) return;
    this.toldAt.set(complaint, now);
    this.log.failure(message, code, error);
  }
}

/**
 * What kafkajs says, less its words: they may quote what came over the wire. Told are the part of it that failed and our code.
 * Rebalances and retries are its normal life and are not told; nor are brokers' answers that refuse something, which come to whoever asked, as
 * an error, and are told there if they last: a group that is being loaded, a topic whose grant does not stand yet.
 */
export function kafkajsLog(log: KafkaLog, code: ErrorCode): () => (entry: LogEntry) => void {
  return () =>
    ({ namespace, level, log: { message } }: LogEntry) => {
      const isAnswer = namespace === 'Connection' && message.startsWith('Response ');
      if (level === logLevel.ERROR && !isAnswer) log.failure(`kafka client, ${namespace}`, code);
    };
}
