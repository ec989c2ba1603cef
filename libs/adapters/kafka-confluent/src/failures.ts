/** A failure by Kafka's name of it (`TOPIC_AUTHORIZATION_FAILED`), as kafkajs tells it: the library writes `ERR_` before, and a text that may quote. */
export class LibraryFailure extends Error {
  constructor(
    readonly type: string,
    cause?: unknown,
  ) {
    super(type, { cause });
    this.name = 'LibraryFailure';
  }
}

/** `codes`: the library's numbers by its names. */
export function failureOf(error: unknown, codes: Readonly<Record<string, unknown>>): LibraryFailure {
  if (error instanceof LibraryFailure) return error;
  const { code } = error as { code?: unknown };
  const known = Object.entries(codes).find(([, number]) => number === code)?.[0] ?? '';
  const name = known.replace(/^ERR_+/, '');
  return new LibraryFailure(/^[A-Z][A-Z0-9_]{2,60}$/.test(name) ? name : 'UNKNOWN');
}

/** The answer of `work`, or `TIMED_OUT` after `ms`. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new LibraryFailure('TIMED_OUT')), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
