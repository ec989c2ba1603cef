import { describe, expect, it, vi } from 'vitest';
import { hasWhatStood } from './join.js';
import { settings } from './settings.js';

describe('a newcomer of a channel in use', () => {
  it('has caught up with what stood a short while ago, though blocks go on coming', async () => {
    let height = 100;
    const has = hasWhatStood(
      () => Promise.resolve((height += 5)),
      () => Promise.resolve(height - 3),
    );
    expect(await has()).toBe(false);
    height += 5;
    expect(await has()).toBe(true);
  });

  it('has not where it stays farther behind than that', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    let height = 100;
    const has = hasWhatStood(
      () => Promise.resolve((height += 50)),
      () => Promise.resolve(height - 60),
    );
    for (let turn = 1; turn < 5; turn += 1) {
      expect(await has()).toBe(false);
      clock.mockReturnValue(turn * (settings.levelWithinMs + 1));
    }
    clock.mockRestore();
  });

  it('is asked again where either cannot say', async () => {
    const nobody = (): Promise<undefined> => Promise.resolve(undefined);
    expect(await hasWhatStood(nobody, () => Promise.resolve(7))()).toBe(false);
    expect(await hasWhatStood(() => Promise.resolve(7), nobody)()).toBe(false);
  });
});
