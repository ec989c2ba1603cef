import { ROLES, type Country } from './checked-world.js';
import { leafHash, nodeHash, PrefixRoots, treeHash } from './hashing.js';
import type { LedgerFacts } from './ledger-facts.js';
import type { Findings } from './violation.js';

interface AuditRow {
  readonly id: string;
  readonly key_id: string;
  readonly body: Buffer;
  readonly leaf_hash: Buffer;
}
interface LeafRow {
  readonly index: string;
  readonly event_id: string;
  readonly leaf_hash: string;
}
interface NodeRow {
  readonly level: number;
  readonly index: string;
  readonly hash: string;
}
interface HeadRow {
  readonly seq: string;
  readonly size: string;
  readonly root: string;
  readonly state: string;
}

/** Every audit event has exactly one leaf in its country's log; log and anchored heads recompute (invariant 6). */
export function checkLog(country: Country, facts: LedgerFacts, findings: Findings): void {
  const leaves = country.rows<LeafRow>('notary.log_leaf');
  checkEvents(country, leaves, findings);
  for (const [index, leaf] of leaves.entries()) {
    findings.demand(Number(leaf.index) === index, 6, `${country.code} notary.log_leaf ${leaf.index}`, 'a leaf is missing before it');
  }
  const hashes = leaves.map(({ leaf_hash: hash }) => hash);
  checkNodes(country, hashes, findings);
  checkHeads(country, hashes, facts, findings);
}

function checkEvents(country: Country, leaves: readonly LeafRow[], findings: Findings): void {
  const byEvent = Map.groupBy(leaves, ({ event_id: id }) => id);
  const events = new Set<string>();
  for (const role of ROLES) {
    for (const event of country.rows<AuditRow>(`${role}.audit_event`)) {
      const where = `${country.code} ${role}.audit_event ${event.id}`;
      const own = byEvent.get(event.id) ?? [];
      events.add(event.id);
      findings.demand(own.length === 1, own.length === 0 ? 6 : 5, where, `has ${own.length} leaves in the log, not one`);
      findings.demand(leafHash(event.body) === event.leaf_hash.toString('hex'), 6, where, 'its leaf hash is not that of its body');
      findings.demand(
        own.every(({ leaf_hash: hash }) => hash === event.leaf_hash.toString('hex')),
        6,
        where,
        'the log holds another hash',
      );
      const opened = country.bodiesOf(role).read(event.key_id, event.body, `${role}.audit_event:${event.id}`);
      findings.demand(opened !== 'broken', 6, where, 'does not open under its key');
    }
  }
  for (const { event_id: id, index } of leaves)
    findings.demand(events.has(id), 6, `${country.code} notary.log_leaf ${index}`, 'has no audit event');
}

/** Each stored node covers a complete subtree, recomputed from below. */
function checkNodes(country: Country, leaves: readonly string[], findings: Findings): void {
  const stored = new Map(country.rows<NodeRow>('notary.log_node').map(({ level, index, hash }) => [`${level}/${index}`, hash]));
  let row: readonly string[] = leaves;
  for (let level = 0; row.length > 0; level += 1) {
    for (const [index, hash] of row.entries()) {
      findings.demand(
        stored.get(`${level}/${index}`) === hash,
        6,
        `${country.code} notary.log_node ${level}/${index}`,
        'is not the hash of what it covers',
      );
      stored.delete(`${level}/${index}`);
    }
    row = Array.from({ length: Math.floor(row.length / 2) }, (_unused, i) => nodeHash(row[2 * i] ?? '', row[2 * i + 1] ?? ''));
  }
  for (const name of stored.keys())
    findings.demand(false, 6, `${country.code} notary.log_node ${name}`, 'covers leaves that are not there');
}

function checkHeads(country: Country, leaves: readonly string[], facts: LedgerFacts, findings: Findings): void {
  const anchored = facts.heads.filter(({ org }) => org === country.code);
  const rows = new Map(country.rows<HeadRow>('notary.head').map((row) => [Number(row.seq), row]));
  const roots = new PrefixRoots(leaves);
  const leavesOf = Map.groupBy(
    facts.steps.filter(({ org }) => org === country.code),
    ({ batch }) => batch,
  );
  let nextBatch = 0;
  for (const [place, head] of anchored.entries()) {
    const where = `${country.code} head ${head.seq}`;
    findings.demand(head.seq === place, 6, where, 'a head is missing before it');
    findings.demand(head.root === roots.of(head.size), 6, where, 'its root is not that of the log');
    const row = rows.get(head.seq);
    const same = row !== undefined && row.state === 'committed' && Number(row.size) === head.size && row.root === head.root;
    findings.demand(same, 6, where, 'anchored, and the notary’s row says otherwise');
    for (const batch of head.batches) {
      const texts = (leavesOf.get(batch.n) ?? []).map(({ text }) => leafHash(text));
      findings.demand(
        batch.n === nextBatch && batch.root === treeHash(texts),
        6,
        `${where} batch ${batch.n}`,
        'is out of order, or not the batch that stands',
      );
      nextBatch = batch.n + 1;
    }
  }
}
