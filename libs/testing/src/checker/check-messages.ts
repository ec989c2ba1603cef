import { ROLES, type CheckedWorld, type Country, type RoleName } from './checked-world.js';
import { leafHash } from './hashing.js';
import type { Findings } from './violation.js';

export interface OutboxRow {
  readonly id: string;
  readonly recipient: RoleName;
  readonly type: string;
  readonly key_id: string;
  readonly body: Buffer;
  readonly state: 'waiting' | 'delivered' | 'dead';
  readonly code: string | null;
}
interface OutgoingRow {
  readonly id: string;
  readonly recipient: string;
  readonly key: string;
  readonly body: Buffer;
  readonly state: string;
}
interface IncomingRow {
  readonly sender: string;
  readonly id: string;
  readonly key: string;
  readonly state: string;
  readonly code: string | null;
}
interface Envelope {
  readonly id: string;
  readonly kind: string;
  readonly transferId: string;
  readonly n: number;
  readonly parts: readonly string[];
  readonly sealed: string;
}

/** Between the roles of a country: what was posted arrived, once, and had its effect; what died says why. */
export function checkRoleMessages(country: Country, findings: Findings): void {
  const posted = new Set<string>();
  for (const sender of ROLES) {
    for (const message of country.rows<OutboxRow>(`${sender}.outbox`)) {
      const where = `${country.code} ${sender}.outbox ${message.id} ${message.type}`;
      posted.add(`${message.recipient} ${message.id}`);
      findings.demand(message.state !== 'dead' || message.code !== null, 4, where, 'dead without a reason');
      if (message.state === 'delivered') checkDelivered(country, sender, message, where, findings);
    }
  }
  const notices = noticeIds(country);
  for (const role of ROLES) {
    for (const { id } of country.rows<{ id: string }>(`${role}.inbox`)) {
      findings.demand(
        posted.has(`${role} ${id}`) || notices.has(id) || CLAIM.test(id),
        4,
        `${country.code} ${role}.inbox ${id}`,
        'noted, and nobody sent it',
      );
    }
  }
}

/** The edge notes what a message claims (a person's identifier) by an id derived from it: UUID version 8 (RFC 9562, section 5.8). */
const CLAIM = /^[0-9a-f]{8}-[0-9a-f]{4}-8/;

/** Notices of partners are noted in the exchange's inbox by the envelope's id without its part. */
function noticeIds(country: Country): Set<string> {
  return new Set(country.rows<IncomingRow>('exchange.incoming').map(({ id }) => id.replace(/\.\d+$/, '')));
}

function checkDelivered(country: Country, sender: RoleName, message: OutboxRow, where: string, findings: Findings): void {
  const noted = country.has(`${message.recipient}.inbox`, 'id', message.id);
  findings.demand(noted, 4, where, 'counted as delivered, and its recipient never noted it');
  const opened = country.bodiesOf(sender).read(message.key_id, message.body, `${sender}.outbox:${message.id}`);
  findings.demand(opened !== 'broken', 4, where, 'does not open under its key');
  const effect = EFFECTS[message.type];
  if (typeof opened === 'string' || effect === undefined) return;
  const body = JSON.parse(opened.text) as Record<string, string>;
  const [table, column, value] = effect(body, message.id);
  findings.demand(country.has(table, column, value), 4, where, `delivered, and ${table} has no row for it`);
}

/** What a delivered message leaves at its recipient: table, column, value. */
const EFFECTS: Readonly<Record<string, (body: Record<string, string>, id: string) => readonly [string, string, string | undefined]>> = {
  'transfer.ask': (body) => ['exchange.transfer', 'transfer_id', body['transferId']],
  'step.anchor': (body) => ['notary.step', 'leaf', body['leaf']],
  'act.anchor': (_body, id) => ['notary.act', 'id', id],
  'log.append': (body) => ['notary.log_queue', 'event_id', body['eventId']],
  'view.store': (body) => ['edge.view', 'id', body['viewId']],
  'feed.entry': (body) => ['edge.feed_entry', 'id', body['eventId']],
  'proposal.arrived': (_body, id) => ['edge.proposal', 'id', id],
};

/** Between countries: each envelope sent stands once in its recipient's inbox, none came from nowhere, none was imported twice. */
export function checkEnvelopes(countries: readonly Country[], forged: NonNullable<CheckedWorld['forged']>, findings: Findings): void {
  const received = countries.flatMap((country) =>
    country.rows<IncomingRow>('exchange.incoming').map((row) => ({ ...row, name: `${row.sender} → ${country.code} ${row.id}` })),
  );
  findings.demandOnce(
    received.map(({ name }) => name),
    5,
    'envelope',
    'stands twice in its inbox',
  );
  const sent = new Set<string>();
  const inboxes = new Set(received.map(({ name }) => name));
  for (const country of countries) checkSent(country, inboxes, sent, findings);
  for (const { name, id, state, code } of received) {
    const fate = forged.get(id);
    if (fate !== undefined) {
      const fits = fate === 'dead' ? state === 'dead' && code !== null : state !== 'waiting';
      findings.demand(fits, 11, `envelope ${name}`, `an attacker wrote it, and it is ${state}`);
      continue;
    }
    findings.demand(sent.has(name), 11, `envelope ${name}`, 'came in, and its sender never sent it');
    findings.demand(state !== 'dead' || code !== null, 4, `envelope ${name}`, 'a dead letter without a reason');
    findings.demand(state !== 'dead', 4, `envelope ${name}`, `a dead letter: ${code ?? ''}`);
  }
}

function checkSent(country: Country, inboxes: ReadonlySet<string>, sent: Set<string>, findings: Findings): void {
  const parts: string[] = [];
  for (const row of country.rows<OutgoingRow>('exchange.outgoing')) {
    const name = `${country.code} → ${row.recipient} ${row.id}`;
    sent.add(name);
    findings.demand(row.state !== 'dead', 4, `envelope ${name}`, 'a dead letter that its sender gave up');
    if (row.state === 'sent') findings.demand(inboxes.has(name), 4, `envelope ${name}`, 'counted as sent, and not in its inbox');
    // What it was for was over before it could leave: its bytes are gone, and its transfer ended by other means.
    if (row.state === 'lapsed') continue;
    const envelope = JSON.parse(row.body.toString('utf8')) as Envelope;
    findings.demand(
      leafHash(envelope.sealed) === envelope.parts[envelope.n - 1],
      4,
      `envelope ${name}`,
      'its part is not the one it names',
    );
    if (envelope.kind !== 'notice') parts.push(`${country.code} ${envelope.transferId} ${envelope.kind} part ${envelope.n}`);
  }
  findings.demandOnce(parts, 5, 'envelope', 'was made twice');
}
