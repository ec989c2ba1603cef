/** Not part of kafkajs' own types: see quiet-request-queue.ts. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    throttledUntil: number;
    pending: readonly unknown[];
    throttleCheckTimeoutId: NodeJS.Timeout | null | undefined;
    scheduleCheckPendingRequests(): void;
    checkPendingRequests(): void;
  }
}
