/** What a pure core may not take from the machine by itself. */
export abstract class Clock {
  /** Milliseconds since the Unix epoch. */
  abstract now(): number;
}

export abstract class Random {
  /** RFC 9562 version 4 UUID, lower case. */
  abstract uuid(): string;
  /** `count` bytes from the operating system's generator. */
  abstract bytes(count: number): Uint8Array;
}

/** SHA-256 (FIPS 180-4), synchronous; 32 bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** RFC 3339 instant in UTC with milliseconds, as every contract wants it. */
export function instant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
