import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

const CHECK_EVERY_MS = 10;

/**
 * kafkajs 2.2.4 wakes up every millisecond on each open connection for as long as that lives, with nothing to do: its time of the next
 * check lies in the past where no broker throttles (https://github.com/tulios/kafkajs/issues/1751). A node has dozens of connections.
 * Here the next check is only set where requests wait or a broker throttles; a request that is answered checks by itself.
 */
export function quietRequestQueues(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    const throttledMs = this.throttledUntil - Date.now();
    if (this.throttleCheckTimeoutId) return;
    if (throttledMs <= 0 && this.pending.length === 0) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledMs > 0 ? throttledMs : CHECK_EVERY_MS,
    );
  };
}
