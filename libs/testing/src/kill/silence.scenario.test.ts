import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from './clinician.js';
import { KillWorld, other, type Side } from './kill-world.js';
import { killPoints, seeds, type KillPoint } from './points.js';
import { struck, type Plan } from './strike.js';

const pointOf = (step: string): KillPoint => killPoints.find((point) => point.step === step)!;

let killed: KillWorld;
let started: KillWorld | undefined;
const print = (line: string): void => void process.stderr.write(`${line}\n`);

beforeAll(async () => {
  started = killed = await KillWorld.start(print);
  await killed.prepare();
});
afterAll(() => started?.stop());

/** The request that is on its way stands in the other country's inbox. */
const REQUEST_LEFT = `SELECT o.state = 'sent' AS holds FROM exchange.transfer t JOIN exchange.outgoing o ON o.key = t.transfer_id::text
  WHERE t.side = 'asker' AND t.state = 'asked'`;

async function struckTwice(plan: Pick<Plan, 'country' | 'point' | 'seed'>): Promise<void> {
  const process = killed.process(plan.country, plan.point.role);
  await struck(killed, plan, 'before');
  await killed.arm(plan.country, plan.point.step, 'after');
  await killed.revive(process);
  await struck(killed, plan, 'after');
  await killed.revive(process);
}

/** Kills a country's exchange, works while it is away, and starts it again whatever came of that. */
async function whileAway(country: Side, work: () => Promise<void>): Promise<void> {
  const away = killed.process(country, 'exchange');
  await away.stop('SIGKILL');
  try {
    await work();
  } finally {
    await killed.revive(away);
  }
}

/** A clinician's request; a failure of it is met where it is awaited. */
function ask(asker: Side): Promise<Outcome> {
  const asked = killed.clinician(asker).record(killed.handle(asker), ['summary']);
  asked.catch(() => undefined);
  return asked;
}

describe('a process killed while a record is refused', () => {
  // The permit ends while the record is under way: the receiver refuses it unopened, and says so.
  it.each(['open', 'acknowledge', 'close'])('%s (exchange), before and after its commit', async (step) => {
    const point = pointOf(step);
    const [custodian, asker] = ['EE', 'PT'] as const;
    const plan = { country: point.side === 'asker' ? asker : custodian, point, seed: 1 } as const;
    await killed.quiet();
    const asked = ask(asker);
    await killed.until(asker, 'the request left', REQUEST_LEFT);
    await whileAway(asker, async () => {
      await killed.until(
        custodian,
        'the record left',
        `SELECT bool_or(state = 'sent') AS holds FROM exchange.transfer WHERE side = 'custodian'`,
      );
      await killed.withdraw();
      await killed.until(
        asker,
        'the permit ended',
        `SELECT bool_and(ended_at IS NOT NULL) AS holds FROM notary.trail_permit WHERE custodian = 'EE'`,
      );
      await killed.arm(plan.country, step, 'before');
    });
    await struckTwice(plan);
    expect(await asked).toBe('refused');
    await killed.permit();
  });

  it('leaves every invariant holding', async () => {
    expect(await killed.check()).toEqual([]);
  });
});

describe('a process killed while the other side is silent', () => {
  beforeAll(async () => {
    for (const country of ['EE', 'PT'] as const) await killed.changePolicy(country, { askWithinSeconds: 4, graceSeconds: 1 });
  });

  it.each(seeds)('give-up (exchange), before and after its commit, seed %i', async (seed) => {
    const asker: Side = seed % 2 === 1 ? 'PT' : 'EE';
    await whileAway(other(asker), async () => {
      await killed.arm(asker, 'give-up', 'before');
      const asked = ask(asker);
      await struckTwice({ country: asker, point: pointOf('give-up'), seed });
      expect(await asked).toBe('unanswered');
    });
  });

  it.each(seeds)('expire (exchange), before and after its commit, seed %i', async (seed) => {
    const custodian: Side = seed % 2 === 1 ? 'EE' : 'PT';
    const asker = other(custodian);
    await killed.arm(custodian, 'expire', 'before');
    const asked = ask(asker);
    await killed.until(asker, 'the request left', REQUEST_LEFT);
    await whileAway(asker, () => struckTwice({ country: custodian, point: pointOf('expire'), seed }));
    expect(['unanswered', 'refused']).toContain(await asked);
  });

  it('an expiry whose time has not come by the channel’s clock is anchored when it has', async () => {
    const [custodian, asker] = ['EE', 'PT'] as const;
    await killed.quiet();
    const asked = ask(asker);
    await killed.until(asker, 'the request left', REQUEST_LEFT);
    await whileAway(asker, async () => {
      // As if the database's clock ran ahead of the notary's.
      const early = `WITH early AS (UPDATE exchange.transfer SET due_at = clock_timestamp() WHERE state = 'sent' RETURNING 1)`;
      await killed.until(custodian, 'the record left', `${early} SELECT count(*) > 0 AS holds FROM early`);
      await killed.until(custodian, 'it has expired', `SELECT bool_and(state NOT IN ('sent', 'expiring')) AS holds FROM exchange.transfer`);
    });
    expect(['unanswered', 'refused']).toContain(await asked);
  });

  it('leaves every invariant holding', async () => {
    expect(await killed.check()).toEqual([]);
  });
});
