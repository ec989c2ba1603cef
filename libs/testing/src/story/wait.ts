import { setTimeout as pause } from 'node:timers/promises';
import { StoryBroken } from './narrator.js';

/**
 * A node that could not do a thing tries it again after at most 30 s (`courier.ts`, `runner.ts` of the exchange): a line that was held back on purpose, on a busy
 * machine, costs one such pause and sometimes two.
 */
export const TWO_PAUSES_MS = 75_000;

/** Looks again until `holds`; what was promised and did not come in time breaks the story. */
export async function eventually(promise: string, holds: () => Promise<boolean>, withinMs = TWO_PAUSES_MS): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new StoryBroken(`${promise} (not within ${withinMs} ms)`);
    await pause(60);
  }
}
