/** Not part of kafkajs' own types: see quick-encoder.ts. */
declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    static nextPowerOfTwo(value: number): number;
    buf: Buffer;
    offset: number;
    ensureAvailable(length: number): void;
    writeUVarInt(value: number): Encoder;
    writeVarInt(value: number): Encoder;
    readonly buffer: Buffer;
  }
}

/** Likewise: see quiet-request-queue.ts. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    throttledUntil: number;
    pending: readonly unknown[];
    throttleCheckTimeoutId: NodeJS.Timeout | null | undefined;
    scheduleCheckPendingRequests(): void;
    checkPendingRequests(): void;
  }
}
