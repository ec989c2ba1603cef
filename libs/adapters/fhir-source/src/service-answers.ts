/** Whether an address lies under a base address (which ends with a slash): the same origin, a whole path below, nobody's name in it. */
export const isUnder = (base: URL, url: URL): boolean =>
  url.origin === base.origin && url.username === '' && url.password === '' && `${url.pathname}/`.startsWith(base.pathname);

/** Milliseconds that a service asks to be left alone: `Retry-After` in seconds or as a date (RFC 9110 §10.2.3). */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
