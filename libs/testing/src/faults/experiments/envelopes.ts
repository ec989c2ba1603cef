import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { stolenLink } from '../../scenarios/backstage.js';
import type { Fault, Scene } from '../fault.js';
import { otherSide, SIDES, type Side } from '../fault-world.js';

/** An envelope as its sender keeps it after it left. */
interface Kept {
  readonly id: string;
  readonly key: string;
  readonly body: Buffer;
}
interface Message {
  readonly id: string;
  readonly key: string;
  readonly body: Uint8Array;
}

/** What an attacker makes of a genuine envelope. `fresh`: under an id that nobody has seen. */
interface Trick {
  readonly name: string;
  /** What must become of it: a dead letter, or at least nothing new. */
  readonly fate: 'dead' | 'settled';
  readonly make: (kept: Kept) => Message;
}

const under = (id: string, { key, body }: Kept, change: (text: string) => string = (text) => text): Message => ({
  id,
  key,
  body: Buffer.from(change(body.toString('utf8'))),
});
const renamed = ({ id, body }: Kept, fresh: string): string => body.toString('utf8').replaceAll(id, fresh);
const again = (kept: Kept): Message => under(kept.id, kept);
const freshly =
  (change: (text: string) => string) =>
  (kept: Kept): Message => {
    const id = `${randomUUID()}.1`;
    return { id, key: kept.key, body: Buffer.from(change(renamed(kept, id))) };
  };

/** A character of the sealed part is another one. */
const alterSealed = (text: string): string =>
  text.replace(/"sealed":"([^"]{200})(.)/, (_whole, before: string, one: string) => `"sealed":"${before}${one === 'A' ? 'B' : 'A'}`);

const tricks: readonly Trick[] = [
  { name: 'replayed', fate: 'settled', make: again },
  { name: 'replayed under another id', fate: 'settled', make: freshly((text) => text) },
  { name: 'truncated', fate: 'dead', make: freshly((text) => text.slice(0, Math.floor(text.length / 2))) },
  { name: 'altered', fate: 'dead', make: freshly(alterSealed) },
  {
    name: 'renamed to another transfer',
    fate: 'settled',
    make: freshly((text) => text.replace(/"transferId":"[^"]+"/, `"transferId":"${randomUUID()}"`)),
  },
];

const EACH = 10;

export const envelopes: Fault = {
  name: 'envelopes',
  what: 'whoever holds a country’s exchange keys and certificate writes old envelopes again: replayed, doubled, in reverse order, truncated, altered',
  how: `${EACH} envelopes each way, newest first, each written twice over the genuine line as it was, and once under another id, truncated, altered, and for another transfer`,
  strike: async (scene) => {
    scene.struck();
    for (const from of SIDES) await attack(scene, from);
    scene.healed();
  },
};

async function attack(scene: Scene, from: Side): Promise<void> {
  const { world, note } = scene;
  const to = otherSide(from);
  // Newest first: their order is not the one in which they were sent.
  const kept = await world.rows<Kept>(
    from,
    `SELECT id, key, body FROM exchange.outgoing WHERE state = 'sent' AND recipient = $1 ORDER BY seq DESC LIMIT ${EACH}`,
    [to],
  );
  const link = stolenLink(world.shared, from);
  const written = new Map<string, string>();
  try {
    for (const one of [...kept, ...kept]) await link.send(to, again(one));
    for (const { name, fate, make } of tricks.slice(1)) {
      for (const message of kept.map(make)) {
        world.forged.set(message.id, fate);
        written.set(message.id, name);
        await link.send(to, message);
      }
    }
  } finally {
    await link.close();
  }
  note(`${from} → ${to}: ${2 * kept.length} written again as they were; ${await fates(scene, to, written)}`);
}

/** What the recipient made of each trick: `truncated 10 dead exchange.envelope-invalid`. */
async function fates({ world }: Scene, to: Side, written: ReadonlyMap<string, string>): Promise<string> {
  const sql = 'SELECT id, state, code FROM exchange.incoming WHERE id = ANY($1)';
  const end = Date.now() + 60_000;
  let rows: readonly { id: string; state: string; code: string | null }[] = [];
  do {
    await pause(500);
    rows = await world.rows(to, sql, [[...written.keys()]]);
  } while ((rows.length < written.size || rows.some(({ state }) => state === 'waiting')) && Date.now() < end);
  const told = Map.groupBy(rows, ({ id, state, code }) => `${written.get(id) ?? ''}: ${state}${code === null ? '' : ` (${code})`}`);
  return [...told].map(([fate, of]) => `${of.length} ${fate}`).join('; ');
}
