import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { roomOf } from './problem.filter.js';

it('a failure names the room that it happened in, whichever controllers there are', () => {
  const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.controller.ts'));
  const rooms = sources.flatMap((file) =>
    [...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(/@Controller\('([a-z]+)/g)].flatMap(([, room]) => room ?? []),
  );
  expect(rooms.length).toBeGreaterThanOrEqual(5);
  for (const room of rooms.filter((one) => one !== 'fhir')) expect(roomOf(`/${room}/anything`)).toBe(`/${room}`);
});

it('and nothing that somebody typed, though it looks like a name of ours', () => {
  for (const path of ['/tamm', '/mari-tamm/person', '/personx', '//person', '', '/', '/constructor']) expect(roomOf(path)).toBe('/');
});
