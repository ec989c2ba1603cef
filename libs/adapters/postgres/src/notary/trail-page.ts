import type { TrailFilter, TrailPlace, TrailStep } from '@portolan/domain';
import { Parameters } from '../connect/parameters.js';
import type { Sql } from '../connect/sql.js';

/** A row of trail_step as the driver gives it: bigint as text, times as dates. */
interface Row {
  readonly block: string;
  readonly position: number;
  readonly at: Date;
  readonly org: string;
  readonly transfer_id: string;
  readonly step: string;
  readonly sender: string;
  readonly recipient: string;
  readonly permit_id: string | null;
  readonly purpose: string | null;
  readonly reason: string | null;
  readonly late: boolean;
  readonly batch: string;
  readonly leaf_index: number;
  readonly leaf: string;
  readonly alarm: string | null;
}

const ORDER = 'ORDER BY at DESC, block DESC, position DESC';

/**
 * A page of the trail, from the newest step to the oldest: one end of an index is read and nothing is sorted. What a country sent and what it
 * received stand in two indexes, whose ends are merged: under one condition with OR neither gives the order.
 */
export async function trailPage(
  sql: Sql,
  filter: TrailFilter,
  limit: number,
  behind: TrailPlace | undefined,
): Promise<readonly TrailStep[]> {
  const { text, values } = pageSql(filter, limit, behind);
  return (await sql.rows<Row>(text, values)).map(trailStep);
}

function pageSql(filter: TrailFilter, limit: number, behind: TrailPlace | undefined): { text: string; values: readonly unknown[] } {
  const parameters = new Parameters();
  const most = parameters.add(limit, '::integer');
  const common = [...conditions(filter, parameters), ...(behind === undefined ? [] : beyond(behind, parameters))];
  const part = (more: readonly string[]): string =>
    `SELECT * FROM trail_step WHERE ${['true', ...more, ...common].join(' AND ')} ${ORDER} LIMIT ${most}`;
  const country = partyOf(filter);
  if (country === undefined) return { text: part([]), values: parameters.values };
  const party = parameters.add(country, '::text');
  const [sent, received] = [part([`sender = ${party}`]), part([`recipient = ${party}`, `sender <> ${party}`])];
  return { text: `SELECT * FROM ((${sent}) UNION ALL (${received})) both_ways ${ORDER} LIMIT ${most}`, values: parameters.values };
}

/** Whoever anchors a step is a party of it (ledger rules), so that a question for an organisation is one for its country. */
const partyOf = ({ country, org }: TrailFilter): string | undefined => country ?? org;

function conditions({ from, to, purpose, transferId, step, org, alarm }: TrailFilter, parameters: Parameters): readonly string[] {
  return [
    from === undefined ? [] : `at >= ${parameters.add(from, '::timestamptz')}`,
    to === undefined ? [] : `at < ${parameters.add(to, '::timestamptz')}`,
    purpose === undefined ? [] : `purpose = ${parameters.add(purpose, '::text')}`,
    transferId === undefined ? [] : `transfer_id = ${parameters.add(transferId, '::uuid')}`,
    step === undefined ? [] : `step = ${parameters.add(step, '::text')}`,
    org === undefined ? [] : `org = ${parameters.add(org, '::text')}`,
    alarm === undefined ? [] : `alarm IS ${alarm === 'true' ? 'NOT ' : ''}NULL`,
  ].flat();
}

const beyond = ({ upTo, at, block, position }: TrailPlace, parameters: Parameters): readonly string[] => [
  `(at, block, position) < (${parameters.add(at, '::timestamptz')}, ${parameters.add(block, '::bigint')}, ${parameters.add(position, '::integer')})`,
  `block <= ${parameters.add(upTo, '::bigint')}`,
];

const trailStep = (row: Row): TrailStep => ({
  block: Number(row.block),
  position: row.position,
  at: row.at.toISOString(),
  org: row.org,
  transferId: row.transfer_id,
  step: row.step,
  from: row.sender,
  to: row.recipient,
  permitId: row.permit_id ?? undefined,
  purpose: row.purpose ?? undefined,
  reason: row.reason ?? undefined,
  late: row.late,
  batch: Number(row.batch),
  index: row.leaf_index,
  leaf: row.leaf,
  alarm: (row.alarm ?? undefined) as TrailStep['alarm'],
});
