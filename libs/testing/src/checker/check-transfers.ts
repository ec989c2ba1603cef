import { checkReceipt } from './check-receipts.js';
import type { Country } from './checked-world.js';
import type { AnchoredStep, LedgerFacts } from './ledger-facts.js';
import { storiesOf, transfersOf, type Story, type TransferRow, type ViewRow } from './transfer-story.js';
import type { Findings } from './violation.js';

interface EdgeTransferRow {
  readonly transfer_id: string;
  readonly state: string;
}
interface AuditRow {
  readonly transfer_id: string | null;
  readonly type: string;
  readonly outcome: string;
}
/** Where a transfer may come to rest: the asker's state for each of the custodian's. `none`: the custodian never heard of it. */
const RESTS: Readonly<Record<string, readonly string[]>> = {
  answered: ['matched', 'none', 'failed'],
  closed: ['done'],
  refused: ['done'],
  expired: ['failed'],
  none: ['failed'],
};
const FINAL: ReadonlySet<string> = new Set(['answered', 'closed', 'refused', 'expired', 'done', 'matched', 'none', 'failed']);
/** What the edge shows of an exchange's final state. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  matched: ['matched'],
  none: ['none'],
  failed: ['failed', 'viewed', 'ended'],
  done: ['viewed', 'ended', 'failed'],
};

/** Every transfer came to rest, the same on both sides; what was opened was released before; receipts, views and answers fit. */
export function checkTransfers(countries: readonly Country[], facts: LedgerFacts, findings: Findings): void {
  for (const story of storiesOf(countries, facts)) {
    checkRest(story, findings);
    checkOpening(story, facts, findings);
    checkEnd(story, findings);
    checkReceipt(story, facts, findings);
    checkEdge(story, findings);
    checkAudited(story, findings);
  }
  checkOrphans(countries, facts, findings);
}

function checkRest({ id, asker, custodian }: Story, findings: Findings): void {
  const [mine, theirs] = [asker.row.state, custodian?.row.state ?? 'none'];
  if (!FINAL.has(mine) || (custodian !== undefined && !FINAL.has(theirs))) return;
  const fits = RESTS[theirs]?.includes(mine) === true;
  findings.demand(fits, 4, `transfer ${id}`, `${asker.country.code} rests at ${mine}, ${asker.row.partner} at ${theirs}`);
}

/** Invariant 1: a record opens only where its release stands, under a permit that was live then. */
function checkOpening({ id, asker, steps, view }: Story, facts: LedgerFacts, findings: Findings): void {
  const opened = view !== undefined || ['opened', 'viewed', 'receiving', 'stepped'].includes(asker.row.state) || steps.has('received');
  if (!opened) return;
  const where = `${asker.country.code} transfer ${id}`;
  const released = steps.get('released');
  findings.demand(released !== undefined, 1, where, 'opened, and no release stands on the channel');
  if (released !== undefined) checkGround({ asker, view }, released, facts, findings);
}

function checkGround({ asker, view }: Pick<Story, 'asker' | 'view'>, released: AnchoredStep, facts: LedgerFacts, findings: Findings): void {
  const where = `${asker.country.code} transfer ${asker.row.transfer_id}`;
  const { from, to, permitId = '' } = released.leaf;
  findings.demand(from === asker.row.partner && to === asker.country.code, 1, where, 'opened on a release between other countries');
  findings.demand(asker.row.permit_id === permitId, 1, where, 'opened under another permit than its release names');
  if (view !== undefined)
    findings.demand(view.permit_id === permitId && view.custodian === from, 9, where, 'its view names another permit or custodian');
  const permit = facts.permits.get(permitId);
  findings.demand(permit?.recipient === to && permit.custodian === from, 3, where, 'opened without a permit on the channel');
}

/** A final state says the same as the channel. */
function checkEnd({ id, asker, custodian, steps, view }: Story, findings: Findings): void {
  const where = `transfer ${id}`;
  const expected: Readonly<Record<string, string | undefined>> = { closed: 'received', refused: 'refused', expired: 'expired' };
  const end = custodian === undefined ? undefined : expected[custodian.row.state];
  if (end !== undefined)
    findings.demand(steps.has(end), 4, `${asker.row.partner} ${where}`, `${custodian?.row.state ?? ''}, and no ${end} stands`);
  if (asker.row.state !== 'done') return;
  findings.demand(
    steps.has('received') || steps.has('refused'),
    4,
    `${asker.country.code} ${where}`,
    'done, and neither received nor refused stands',
  );
  if (steps.has('received')) findings.demand(view !== undefined, 4, `${asker.country.code} ${where}`, 'received, and there is no view');
  if (steps.has('refused')) findings.demand(view === undefined, 1, `${asker.country.code} ${where}`, 'refused, and there is a view');
}

function checkEdge({ id, asker, view }: Story, findings: Findings): void {
  const shown = asker.country.rows<EdgeTransferRow>('edge.edge_transfer').find((row) => row.transfer_id === id);
  const where = `${asker.country.code} edge.edge_transfer ${id}`;
  findings.demand(shown !== undefined, 4, where, 'the exchange carries a transfer that its edge never asked for');
  if (shown === undefined || !FINAL.has(asker.row.state)) return;
  findings.demand(SHOWN[asker.row.state]?.includes(shown.state) === true, 4, where, `shown as ${shown.state}, rests at ${asker.row.state}`);
  if (shown.state === 'viewed')
    findings.demand(view !== undefined && view.state !== 'destroyed', 9, where, 'shown as viewed without a living view');
  if (view !== undefined && view.state !== 'destroyed')
    findings.demand(shown.state === 'viewed', 9, where, `a living view is shown as ${shown.state}`);
}

const times = (happened: boolean): number => (happened ? 1 : 0);

/** How often each act of a transfer must be recorded (invariant 6), on the side where it happens. */
function actsOf({ asker, custodian, steps, view }: Story): readonly (readonly [Country, string, number])[] {
  const asked = asker.row.state !== 'asking' && (asker.row.state !== 'failed' || custodian !== undefined);
  const sought = asker.row.kind === 'match' ? 'person-sought-abroad' : 'record-asked-abroad';
  const opened = [asker.country, 'record-opened', times(view !== undefined)] as const;
  const here = asked ? [[asker.country, sought, 1] as const, opened] : [opened];
  if (custodian === undefined) return here;
  const { country, row } = custodian;
  return [
    ...here,
    ...(steps.has('released') ? [[country, 'record-released', 1] as const] : []),
    [country, 'record-received-abroad', times(row.state === 'closed')],
    [country, 'record-refused-abroad', times(row.state === 'refused')],
    [country, 'person-matched or release-refused', times(row.state === 'answered')],
  ];
}

function checkAudited(story: Story, findings: Findings): void {
  for (const [country, acts, expected] of actsOf(story)) {
    const types = acts.split(' or ');
    const events = country.rows<AuditRow>('exchange.audit_event').filter((event) => event.transfer_id === story.id);
    const found = events.filter(({ type }) => types.includes(type)).length;
    const where = `${country.code} transfer ${story.id}`;
    findings.demand(found === expected, expected > found ? 6 : 5, where, `${acts} is recorded ${found} times, not ${expected}`);
  }
}

/**
 * A request that its country never made: whoever holds that country's keys wrote it. The custodian may keep that it came, as one that was set
 * aside: recorded as failed, without a permit, with nothing on the channel.
 */
function setAside(country: Country, row: TransferRow, { steps }: LedgerFacts): boolean {
  if (row.state !== 'answered' || row.permit_id !== null) return false;
  if (steps.some(({ leaf }) => leaf.transferId === row.transfer_id)) return false;
  const events = country.rows<AuditRow>('exchange.audit_event').filter((event) => event.transfer_id === row.transfer_id);
  return events.length === 1 && events.every(({ type, outcome }) => type === 'release-refused' && outcome === 'failed');
}

/** Nothing stands alone: no custodian's transfer that nobody asked for, no view or step without a transfer. */
function checkOrphans(countries: readonly Country[], facts: LedgerFacts, findings: Findings): void {
  const asked = new Set(countries.flatMap((country) => transfersOf(country, 'asker').map((row) => `${country.code} ${row.transfer_id}`)));
  const kept = new Set(
    countries.flatMap((country) => country.rows<TransferRow>('exchange.transfer').map((row) => `${country.code} ${row.transfer_id}`)),
  );
  for (const country of countries) {
    for (const row of transfersOf(country, 'custodian')) {
      findings.demand(
        asked.has(`${row.partner} ${row.transfer_id}`) || setAside(country, row, facts),
        4,
        `${country.code} transfer ${row.transfer_id}`,
        'nobody asked for it',
      );
    }
    const views = country.rows<ViewRow>('edge.view');
    findings.demandOnce(
      views.map((view) => view.transfer_id),
      5,
      `${country.code} edge.view of transfer`,
      'viewed twice',
    );
    for (const view of views)
      findings.demand(
        asked.has(`${country.code} ${view.transfer_id}`),
        1,
        `${country.code} edge.view ${view.id}`,
        'belongs to no transfer',
      );
    for (const row of country.rows<EdgeTransferRow>('edge.edge_transfer')) {
      const known = asked.has(`${country.code} ${row.transfer_id}`);
      findings.demand(known, 4, `${country.code} edge.edge_transfer ${row.transfer_id}`, 'its exchange never heard of it');
    }
  }
  for (const { org, leaf } of facts.steps) {
    findings.demand(
      kept.has(`${org} ${leaf.transferId}`),
      4,
      `step ${leaf.transferId} ${leaf.step}`,
      `stands on the channel, ${org} has no such transfer`,
    );
  }
}
