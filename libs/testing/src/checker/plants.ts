import { adminQuery, type DatabaseAddress } from '@portolan/postgres';

/** A violation put into a real database: what the checker must find where. */
export interface Plant {
  readonly name: string;
  /** Which database: of a country or of the orderer. */
  readonly at: 'EE' | 'PT' | 'REG';
  /** Statements run as superuser with triggers and foreign keys off. */
  readonly sql: readonly string[];
  readonly found: RegExp;
}

/** Copies a database to `name`, in its own cluster, and runs the statements there. Nobody may be connected to it. */
export async function plantIn(
  { admin, database }: { readonly admin: DatabaseAddress; readonly database: string },
  name: string,
  sql: readonly string[],
): Promise<void> {
  await adminQuery(admin, `DROP DATABASE IF EXISTS ${name}`);
  await adminQuery(admin, `CREATE DATABASE ${name} TEMPLATE ${database}`);
  await adminQuery({ ...admin, database: name }, ['SET session_replication_role = replica', ...sql].join(';\n'));
}

const released = `(SELECT transfer_id FROM notary.step WHERE step = 'released' ORDER BY seq LIMIT 1)`;
const someView = '(SELECT id FROM edge.view ORDER BY id LIMIT 1)';
const openView = `(SELECT id FROM edge.view WHERE state = 'open' ORDER BY id LIMIT 1)`;
const goneView = `(SELECT id FROM edge.view WHERE state = 'destroyed' ORDER BY id LIMIT 1)`;
const aBatch = `(SELECT key FROM notary.ledger_state WHERE key LIKE 'public:EE/batch/%' ORDER BY key LIMIT 1)`;
const other = (text: string): string => `'\\x${Buffer.from(text).toString('hex')}'::bytea`;

export const plants: readonly Plant[] = [
  // The log
  { name: 'an audit event’s leaf removed', at: 'EE', sql: ['DELETE FROM notary.log_leaf WHERE index = 3'], found: /^6 .*has 0 leaves/ },
  {
    name: 'an audit event removed',
    at: 'EE',
    sql: ['DELETE FROM exchange.audit_event WHERE seq = (SELECT min(seq) FROM exchange.audit_event)'],
    found: /^6 .*has no audit event/,
  },
  {
    name: 'an audit event in the log twice',
    at: 'EE',
    sql: [
      'ALTER TABLE notary.log_leaf DROP CONSTRAINT log_leaf_event_id_key',
      'INSERT INTO notary.log_leaf SELECT (SELECT max(index) + 1 FROM notary.log_leaf), event_id, leaf_hash FROM notary.log_leaf WHERE index = 0',
    ],
    found: /^5 .*has 2 leaves/,
  },
  {
    name: 'an audit event rewritten',
    at: 'PT',
    sql: [
      `UPDATE exchange.audit_event SET body = set_byte(body, 40, (get_byte(body, 40) + 1) % 256) WHERE seq = (SELECT max(seq) FROM exchange.audit_event)`,
    ],
    found: /^6 .*leaf hash is not that of its body/,
  },
  {
    name: 'a node of the log rewritten',
    at: 'EE',
    sql: [`UPDATE notary.log_node SET hash = repeat('0', 64) WHERE level = 1 AND index = 0`],
    found: /^6 .*log_node 1\/0 is not the hash/,
  },
  {
    name: 'an anchored head’s row rewritten',
    at: 'EE',
    sql: [`UPDATE notary.head SET root = repeat('0', 64) WHERE seq = 1`],
    found: /^6 EE head 1 anchored, and the notary/,
  },
  // The ledger
  {
    name: 'a value of the state altered',
    at: 'EE',
    sql: [`UPDATE notary.ledger_state SET value = ${other('{}')} WHERE key = ${aBatch}`],
    found: /^11 EE ledger_state .*not its owner/,
  },
  {
    name: 'a value and its owner’s word altered',
    at: 'PT',
    sql: [
      `UPDATE notary.ledger_state SET value = ${other('{}')} WHERE key = ${aBatch}`,
      `UPDATE notary.ledger_state SET value = convert_to(encode(sha256(${other('{}')}), 'hex'), 'UTF8') WHERE key = replace(replace(${aBatch}, 'public:', 'owned:'), 'EE/', 'EE:')`,
    ],
    found: /^4 EE and PT, ledger_state .*different values/,
  },
  {
    name: 'a block lost',
    at: 'PT',
    sql: ['DELETE FROM notary.ledger_tx WHERE block = 5', 'DELETE FROM notary.ledger_block WHERE number = 5'],
    found: /^4 PT ledger_block 6 a block is missing/,
  },
  {
    name: 'a block’s outcome rewritten',
    at: 'PT',
    sql: [`UPDATE notary.ledger_block SET results = replace(results, 'true', 'false') WHERE number = 5`],
    found: /^4 PT ledger_block 5 its results/,
  },
  {
    name: 'a transaction replaced',
    at: 'PT',
    sql: [
      'UPDATE notary.ledger_tx SET jws = (SELECT jws FROM notary.ledger_tx WHERE block = 4 AND index = 0) WHERE block = 5 AND index = 0',
    ],
    found: /^4 PT ledger_block 5 its transactions/,
  },
  {
    name: 'a step judged otherwise',
    at: 'EE',
    sql: [
      `UPDATE notary.ledger_tx SET verdicts = replace(verdicts, '"accepted":true', '"accepted":false') WHERE verdicts LIKE '%"released"%'`,
    ],
    found: /^4 batch \d+ of EE its record is not the root/,
  },
  {
    name: 'a step anchored twice',
    at: 'EE',
    sql: [
      `INSERT INTO notary.ledger_tx SELECT block, index + 100, gen_random_uuid(), jws, verdicts FROM notary.ledger_tx WHERE verdicts LIKE '%"released"%'`,
      `UPDATE notary.ledger_block SET results = (jsonb_set(results::jsonb, '{results}', (SELECT jsonb_agg(coalesce(results::jsonb->'results'->i, '{"valid": true}')) FROM generate_series(0, 110) i)))::text WHERE number IN (SELECT block FROM notary.ledger_tx WHERE index >= 100)`,
    ],
    found: /^5 step \S+ released anchored twice/,
  },
  {
    name: 'a permit that never counted',
    at: 'EE',
    sql: [
      `UPDATE notary.ledger_block SET results = replace(results, 'true', 'false') WHERE number = (SELECT min(block) FROM notary.ledger_tx WHERE convert_from(decode(rpad(translate(split_part(jws, '.', 2), '-_', '+/'), ((length(split_part(jws, '.', 2)) + 3) / 4) * 4, '='), 'base64'), 'UTF8') LIKE '%"fn":"put-permit"%')`,
    ],
    found: /^3 step \S+ released no permit of these countries/,
  },
  {
    name: 'two words of one organisation on one block',
    at: 'EE',
    sql: [`INSERT INTO notary.ledger_attestation SELECT block, org, 'other', jws FROM notary.ledger_attestation ORDER BY block LIMIT 1`],
    found: /^5 EE ledger_attestation .*two different things/,
  },
  {
    name: 'a decision of the notary lost',
    at: 'EE',
    sql: [`DELETE FROM notary.step WHERE step = 'released' AND transfer_id = ${released}`],
    found: /^4 .*anchored without a stored decision/,
  },
  {
    name: 'a line of the trail lost',
    at: 'PT',
    sql: ['DELETE FROM notary.trail_step WHERE block = (SELECT min(block) FROM notary.trail_step)'],
    found: /^4 PT notary.trail_step .*lacks an anchored step/,
  },
  {
    name: 'a step that counts, named as a second one',
    at: 'PT',
    sql: [`UPDATE notary.trail_step SET alarm = 'ledger.end-repeated' WHERE step = 'received'`],
    found: /^5 PT notary.trail_step \S+ received counts, and is named/,
  },
  {
    name: 'a second end that the trail does not name',
    at: 'PT',
    sql: [
      `INSERT INTO notary.trail_step SELECT block + 1000, position, at, org, transfer_id, 'expired', sender, recipient, permit_id, purpose, reason, late, batch + 1000, leaf_index, leaf FROM notary.trail_step WHERE step = 'received'`,
    ],
    found: /^5 PT notary.trail_step \S+ expired is a second one, and not named/,
  },
  // Transfers and views
  {
    name: 'a transfer that rests otherwise',
    at: 'EE',
    sql: [`UPDATE exchange.transfer SET state = 'expired' WHERE state = 'closed'`],
    found: /^4 transfer \S+ PT rests at done, EE at expired/,
  },
  {
    name: 'a transfer that does not rest',
    at: 'EE',
    sql: [`UPDATE exchange.transfer SET state = 'sent' WHERE state = 'closed'`],
    found: /^4 EE transfer custodian sent.*not at rest/,
  },
  {
    name: 'a transfer nobody asked for',
    at: 'PT',
    sql: [`DELETE FROM exchange.transfer WHERE side = 'asker'`],
    found: /^4 EE transfer \S+ nobody asked for it/,
  },
  {
    name: 'another transfer’s counter-receipt',
    at: 'EE',
    sql: [
      `UPDATE exchange.transfer SET data = (SELECT data FROM exchange.transfer WHERE state <> 'closed' LIMIT 1) WHERE state = 'closed'`,
    ],
    found: /^4 transfer \S+ ended without a counter-receipt/,
  },
  {
    name: 'a second view of one transfer',
    at: 'PT',
    sql: [
      'ALTER TABLE edge.view DROP CONSTRAINT view_transfer_id_key',
      `INSERT INTO edge.view SELECT gen_random_uuid(), transfer_id, permit_id, custodian, purpose, case_id, opened_for, patient_handle, until, key_id, state FROM edge.view WHERE id = ${someView}`,
    ],
    found: /^5 PT edge.view of transfer .*viewed twice/,
  },
  {
    name: 'a view that nothing released',
    at: 'PT',
    sql: [`UPDATE edge.view SET transfer_id = gen_random_uuid() WHERE id = ${someView}`],
    found: /^1 PT edge.view .*belongs to no transfer/,
  },
  {
    name: 'a view under another permit',
    at: 'PT',
    sql: [`UPDATE edge.view SET permit_id = gen_random_uuid() WHERE id = ${someView}`],
    found: /^9 PT transfer .*another permit/,
  },
  {
    name: 'a view that outlived its permit',
    at: 'PT',
    sql: [`UPDATE edge.view SET state = 'open' WHERE id = ${goneView}`],
    found: /^9 PT edge.view .*its permit has ended/,
  },
  {
    name: 'a destroyed view whose content is there',
    at: 'PT',
    sql: [`INSERT INTO edge.view_resource SELECT ${goneView}, type, id, body FROM edge.view_resource LIMIT 1`],
    found: /^9 PT edge.view .*destroyed, and its content/,
  },
  {
    name: 'a view that lost its content',
    at: 'PT',
    sql: [`DELETE FROM edge.view_resource WHERE view_id = ${openView}`],
    found: /^4 PT edge.view .*stands, and its content/,
  },
  {
    name: 'an edge that shows something else',
    at: 'PT',
    sql: [`UPDATE edge.edge_transfer SET state = 'failed' WHERE state = 'viewed'`],
    found: /^9 PT edge.edge_transfer .*living view is shown as failed/,
  },
  {
    name: 'an opening nobody recorded',
    at: 'PT',
    sql: [`DELETE FROM exchange.audit_event WHERE type = 'record-opened'`],
    found: /^6 PT transfer \S+ record-opened is recorded 0 times/,
  },
  {
    name: 'a permit that stands here and has ended there',
    at: 'EE',
    sql: [`UPDATE exchange.permit SET state = 'anchored' WHERE state = 'ended'`],
    found: /^3 EE exchange.permit .*not standing/,
  },
  // Messages
  {
    name: 'a delivered message that was never noted',
    at: 'EE',
    sql: [`DELETE FROM notary.inbox WHERE id IN (SELECT id FROM exchange.outbox WHERE type = 'step.anchor')`],
    found: /^4 EE exchange.outbox \S+ step.anchor counted as delivered/,
  },
  {
    name: 'a delivered message without effect',
    at: 'EE',
    sql: ['DELETE FROM edge.feed_entry'],
    found: /^4 .*feed.entry delivered, and edge.feed_entry has no row/,
  },
  {
    name: 'a message dead without a reason',
    at: 'EE',
    sql: [`UPDATE edge.outbox SET state = 'dead', code = NULL WHERE seq = (SELECT min(seq) FROM edge.outbox)`],
    found: /^4 EE edge.outbox .*dead without a reason/,
  },
  {
    name: 'a noted message nobody sent',
    at: 'EE',
    sql: ['INSERT INTO edge.inbox VALUES (gen_random_uuid(), now())'],
    found: /^4 EE edge.inbox .*nobody sent it/,
  },
  {
    name: 'an envelope lost on the way',
    at: 'PT',
    sql: ['DELETE FROM exchange.incoming WHERE seq = (SELECT min(seq) FROM exchange.incoming)'],
    found: /^4 envelope EE → PT .*not in its inbox/,
  },
  {
    name: 'an envelope from nowhere',
    at: 'PT',
    sql: [
      `INSERT INTO exchange.incoming (sender, id, key, body, received_at, state, next_at) VALUES ('EE', 'forged.1', 'x', '', now(), 'done', now())`,
    ],
    found: /^11 envelope EE → PT forged.1 .*never sent it/,
  },
  {
    name: 'an envelope made twice',
    at: 'EE',
    sql: [
      `INSERT INTO exchange.outgoing (id, recipient, key, body, state, next_at) SELECT 'again.1', recipient, key, body, 'waiting', next_at FROM exchange.outgoing WHERE seq = (SELECT min(seq) FROM exchange.outgoing)`,
    ],
    found: /^5 envelope EE .*made twice/,
  },
  {
    name: 'an envelope that its sender gave up',
    at: 'EE',
    sql: [`UPDATE exchange.outgoing SET state = 'dead' WHERE seq = (SELECT min(seq) FROM exchange.outgoing)`],
    found: /^4 envelope EE .*a dead letter that its sender gave up/,
  },
  {
    name: 'a dead letter',
    at: 'PT',
    sql: [
      `UPDATE exchange.incoming SET state = 'dead', code = 'exchange.envelope-invalid' WHERE seq = (SELECT min(seq) FROM exchange.incoming)`,
    ],
    found: /^4 envelope .*a dead letter: exchange.envelope-invalid/,
  },
  // Input
  {
    name: 'a message of which nothing came',
    at: 'EE',
    sql: ['DELETE FROM edge.message_account', 'UPDATE edge.resource_version SET message_id = NULL'],
    found: /^4 EE edge.message .*nothing came of it/,
  },
  {
    name: 'a rejected message without a reject',
    at: 'EE',
    sql: [`UPDATE edge.message SET state = 'rejected' WHERE id = (SELECT id FROM edge.message LIMIT 1)`],
    found: /^4 EE edge.message .*no reject to repair/,
  },
  {
    name: 'an original that does not open',
    at: 'EE',
    sql: [`UPDATE edge.message SET original = set_byte(original, 30, (get_byte(original, 30) + 1) % 256)`],
    found: /^4 EE edge.message .*original does not open/,
  },
  {
    name: 'a version lost',
    at: 'EE',
    sql: [
      'DELETE FROM edge.resource_version WHERE (type, id, version_id) = (SELECT type, id, version_id FROM edge.resource_version ORDER BY type, id LIMIT 1)',
    ],
    found: /^4 EE edge.resource .*0 are there/,
  },
  {
    name: 'a version rewritten',
    at: 'EE',
    sql: [`UPDATE edge.resource_version SET sha256 = repeat('0', 64)`],
    found: /^4 EE edge.resource .*not the text that its hash names/,
  },
  // Secrecy
  {
    name: 'a person’s name at the notary',
    at: 'EE',
    sql: [`UPDATE notary.act SET args = '{"note":"Mari Näidis"}' WHERE seq = (SELECT min(seq) FROM notary.act)`],
    found: /^12 EE notary.act holds canary/,
  },
  {
    name: 'a person’s number, as bytes, at the orderer',
    at: 'REG',
    sql: [`INSERT INTO orderer.ledger_state VALUES ('x', ${other('id 47101010033')})`],
    found: /^12 REG orderer.ledger_state holds canary/,
  },
];
