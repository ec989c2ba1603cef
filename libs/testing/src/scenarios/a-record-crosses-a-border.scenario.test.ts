import { expect, it } from 'vitest';
import { Narrator } from '../story/narrator.js';
import { Story } from '../story/story.js';
import { sharedWorld } from './shared-world.js';

it('plays the whole story, as the demo tells it', async () => {
  const { provisioned } = await sharedWorld();
  const narrator = new Narrator(() => undefined);
  const result = await new Story(provisioned, narrator).play();
  expect(result.transfers).toHaveLength(3);
  expect(result.receipts).toHaveLength(3);
  expect(result.accesses).toBeGreaterThanOrEqual(4);
  expect(result.anchors).toBeGreaterThanOrEqual(6);
  expect(result.rejects).toBeGreaterThanOrEqual(1);
});
