import type { Instant } from '@portolan/contracts';

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** How far a transaction's time may be from its block's, and a node's clock from the transaction's time (Fabric: `peer.authentication.timewindow`). */
export const clockSkew = 2 * minute;

/** Whether the text, already of the right pattern, names a day and time that exist. */
export function isInstant(text: Instant): boolean {
  const at = Date.parse(text);
  return !Number.isNaN(at) && new Date(at).toISOString() === text;
}

/** `instant` and so many milliseconds. Instants compare as texts: UTC, fixed width. */
export function plus(instant: Instant, millis: number): Instant {
  return new Date(Date.parse(instant) + millis).toISOString();
}
