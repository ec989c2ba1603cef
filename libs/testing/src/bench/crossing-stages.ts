import type { BenchWorld } from './bench-world.js';

/** The stages of a crossing in their order; each ends where the next begins. */
export const crossingStages = [
  'asked: sealed request at the custodian’s broker',
  'arrived: the custodian took it from its inbox',
  'permit decided: the notary has the act',
  'permit anchored: the exchange knows',
  'released and sealed: the notary has the step',
  'release anchored: the exchange knows',
  'sent: the record is at the asker’s broker',
  'arrived: the asker took it from its inbox',
  'opened: the edge keeps the view',
  'answered: the clinician has it',
] as const;

const one = async (world: BenchWorld, country: string, sql: string, parameters: readonly unknown[]): Promise<number> => {
  const [row] = await world.read<{ at: Date | null }>(country, sql, parameters);
  if (row?.at == null) throw new Error(`a stage of the crossing left no trace: ${sql}`);
  return row.at.getTime();
};

const OUTGOING = 'SELECT ended_at AS at FROM exchange.outgoing WHERE key = $1 ORDER BY seq LIMIT 1';
const INCOMING = 'SELECT done_at AS at FROM exchange.incoming WHERE key = $1 ORDER BY seq LIMIT 1';
const delivered = (schema: string): string =>
  `SELECT delivered_at AS at FROM ${schema}.outbox WHERE type = $2 AND key = $1 ORDER BY seq LIMIT 1`;

/** Milliseconds of each stage of one transfer, from the times that both countries' databases kept; all clocks are this machine's. */
export async function stagesOf(world: BenchWorld, transfer: string, began: number, ended: number): Promise<readonly number[]> {
  const [asker, custodian] = ['PT', 'EE'];
  const [{ id: permit } = { id: '' }] = await world.read<{ id: string }>(
    custodian,
    'SELECT permit_id AS id FROM exchange.transfer WHERE transfer_id = $1',
    [transfer],
  );
  const moments = [
    began,
    await one(world, asker, OUTGOING, [transfer]),
    await one(world, custodian, INCOMING, [transfer]),
    await one(world, custodian, 'SELECT delivered_at AS at FROM exchange.outbox WHERE id = $1', [permit]),
    await one(world, custodian, delivered('notary'), [permit, 'act.settled']),
    await one(world, custodian, delivered('exchange'), [transfer, 'step.anchor']),
    await one(world, custodian, delivered('notary'), [transfer, 'step.settled']),
    await one(world, custodian, OUTGOING, [transfer]),
    await one(world, asker, INCOMING, [transfer]),
    await one(world, asker, delivered('exchange'), [transfer, 'view.store']),
    ended,
  ];
  return moments.slice(1).map((moment, index) => moment - (moments[index] ?? moment));
}
