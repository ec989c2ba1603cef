import { setTimeout as pause } from 'node:timers/promises';
import { StoryBroken } from './narrator.js';

/** Looks again until `holds`; what was promised and did not come in time breaks the story. */
export async function eventually(promise: string, holds: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new StoryBroken(`${promise} (not within ${withinMs} ms)`);
    await pause(60);
  }
}
