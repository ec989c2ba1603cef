import type { KillPoint, Seed } from './points.js';
import type { Outcome } from './clinician.js';
import { TWO_PAUSES_MS } from '../story/wait.js';
import { other, type KillWorld, type Side } from './kill-world.js';

const STRUCK_WITHIN_MS = TWO_PAUSES_MS;

/** What a seed varies: the n-th occurrence, and what is asked for. */
interface Variant {
  readonly n: number;
  readonly ask: 'record' | 'match' | 'nothing';
  readonly categories: readonly string[];
}

/** Which crossing makes a point strike at `country`. */
export interface Plan extends Variant {
  readonly country: Side;
  readonly point: KillPoint;
  readonly seed: Seed;
  readonly asker: Side;
}

const CATEGORIES: readonly (readonly string[])[] = [
  ['summary'],
  ['laboratory', 'summary'],
  ['summary', 'medication'],
  ['summary'],
  ['medication'],
];
/** These rows run for every kind of question, so their seeds ask for a match and for what nobody permitted, too. */
const FOR_ALL_KINDS: ReadonlySet<string> = new Set(['ask', 'permit']);
const ASKS: readonly Plan['ask'][] = ['record', 'record', 'record', 'match', 'nothing'];

export function planOf(point: KillPoint, seed: Seed): Plan {
  const country: Side = seed % 2 === 1 ? 'EE' : 'PT';
  const asks = point.side === 'asker' || (point.side === 'both' && seed > 2);
  const ask = FOR_ALL_KINDS.has(point.step) ? ASKS[seed - 1] : undefined;
  const categories = CATEGORIES[seed - 1] ?? ['summary'];
  return { country, point, seed, asker: asks ? country : other(country), n: seed < 4 ? 1 : 2, ask: ask ?? 'record', categories };
}

/**
 * Arms a point, lets a clinician ask, sees the process die by SIGKILL before the commit, starts it again with the same point armed after
 * the commit, sees that, starts it again, and hands back what the clinicians got.
 */
export async function strike(killed: KillWorld, plan: Plan): Promise<readonly Outcome[]> {
  const { country, point, n } = plan;
  await killed.arm(country, point.step, 'before', n);
  const asked = Promise.all(Array.from({ length: n }, () => askAs(killed, plan)));
  // The strike is awaited first; a clinician's failure must not go unheard meanwhile.
  asked.catch(() => undefined);
  await struck(killed, plan, 'before');
  await killed.arm(country, point.step, 'after', 1);
  await killed.revive(killed.process(country, point.role));
  await struck(killed, plan, 'after');
  await killed.revive(killed.process(country, point.role));
  return asked;
}

/** Waits for the end of the process that `plan` is about, which must be its own SIGKILL. */
export async function struck(
  killed: KillWorld,
  { country, point, seed }: Pick<Plan, 'country' | 'point' | 'seed'>,
  moment: 'before' | 'after',
): Promise<void> {
  const process = killed.process(country, point.role);
  const began = Date.now();
  if (!(await process.ended(STRUCK_WITHIN_MS)))
    throw new Error(`${country} ${point.role} did not reach '${point.step}' (${moment}) within ${STRUCK_WITHIN_MS} ms`);
  if (process.endedBy !== 'SIGKILL') throw new Error(`${country} ${point.role} ended by ${process.endedBy ?? 'itself'}, not by SIGKILL`);
  killed.say(`  ${point.step.padEnd(12)} ${moment.padEnd(6)} seed ${seed}  ${country} ${point.role} killed after ${Date.now() - began} ms`);
}

async function askAs(killed: KillWorld, { asker, ask, categories }: Plan): Promise<Outcome> {
  const clinician = killed.clinician(asker);
  if (ask === 'match') return (await clinician.match(killed.personOf(other(asker)))).outcome;
  return clinician.record(killed.handle(asker), ask === 'nothing' ? ['claim'] : categories);
}

export const expected = ({ ask }: Plan): Outcome => (ask === 'match' ? 'matched' : ask === 'nothing' ? 'none' : 'released');
