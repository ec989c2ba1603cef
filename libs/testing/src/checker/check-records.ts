import type { Country } from './checked-world.js';
import { sha256 } from './hashing.js';
import type { LedgerFacts } from './ledger-facts.js';
import type { Findings } from './violation.js';

interface MessageRow {
  readonly id: string;
  readonly state: 'stored' | 'rejected' | 'not-production';
  readonly key_id: string;
  readonly original: Buffer;
  readonly sha256: string;
}
interface RejectRow {
  readonly id: string;
  readonly message_id: string;
  readonly state: 'open' | 'repaired' | 'discarded';
  readonly closed_by: string | null;
}
interface VersionRow {
  readonly type: string;
  readonly id: string;
  readonly version_id: number;
  readonly key_id: string;
  readonly message_id: string | null;
  readonly sha256: string;
  readonly body: Buffer;
}
interface ResourceRow {
  readonly type: string;
  readonly id: string;
  readonly version_id: number;
  readonly erased: boolean;
}
interface ViewRow {
  readonly id: string;
  readonly permit_id: string;
  readonly until: Date;
  readonly key_id: string;
  readonly state: string;
}
interface PermitRow {
  readonly id: string;
  readonly state: 'granted' | 'anchored' | 'ended';
}

/** What came in ended as a stored resource with an account, or as a repairable reject, and its original is kept (invariant 4). */
export function checkInput(country: Country, findings: Findings): void {
  const accounts = new Set(country.rows<{ message_id: string }>('edge.message_account').map(({ message_id: id }) => id));
  const filed = new Set(country.rows<VersionRow>('edge.resource_version').map(({ message_id: id }) => id));
  const rejected = new Set(country.rows<RejectRow>('edge.reject').map(({ message_id: id }) => id));
  for (const message of country.rows<MessageRow>('edge.message')) {
    const where = `${country.code} edge.message ${message.id}`;
    const original = country.bodiesOf('edge').read(message.key_id, message.original, `edge.message:${message.id}`);
    findings.demand(original !== 'broken', 4, where, 'its original does not open under its key');
    if (message.state === 'stored')
      findings.demand(filed.has(message.id) || accounts.has(message.id), 4, where, 'stored, and nothing came of it');
    if (message.state === 'rejected') findings.demand(rejected.has(message.id), 4, where, 'rejected, and there is no reject to repair');
  }
  const messages = new Set(country.rows<MessageRow>('edge.message').map(({ id }) => id));
  for (const reject of country.rows<RejectRow>('edge.reject')) {
    const where = `${country.code} edge.reject ${reject.id}`;
    if (reject.state === 'repaired') findings.demand(messages.has(reject.closed_by ?? ''), 4, where, 'repaired by no message');
  }
}

/** Versions have no gap, each opens and is what its hash says; the current one is the newest. */
export function checkResources(country: Country, findings: Findings): void {
  const versions = Map.groupBy(country.rows<VersionRow>('edge.resource_version'), ({ type, id }) => `${type}/${id}`);
  for (const resource of country.rows<ResourceRow>('edge.resource')) {
    const name = `${resource.type}/${resource.id}`;
    const own = (versions.get(name) ?? []).toSorted((a, b) => a.version_id - b.version_id);
    const where = `${country.code} edge.resource ${name}`;
    findings.demand(own.length === resource.version_id, 4, where, `says ${resource.version_id} versions, ${own.length} are there`);
    for (const [index, version] of own.entries()) {
      const opened = country.bodiesOf('edge').read(version.key_id, version.body, `edge.resource_version:${name}/${version.version_id}`);
      findings.demand(
        version.version_id === index + 1 && opened !== 'broken',
        4,
        `${where} version ${version.version_id}`,
        'is out of order, or does not open under its key',
      );
      if (typeof opened !== 'string')
        findings.demand(
          sha256(opened.text) === version.sha256,
          4,
          `${where} version ${version.version_id}`,
          'is not the text that its hash names',
        );
    }
  }
}

/** Invariant 9: where a permit has ended, by its end on the channel or by its time, the view and its key are gone. */
export function checkViews(country: Country, facts: LedgerFacts, now: number, findings: Findings): void {
  const bodies = country.bodiesOf('edge');
  const shown = new Set(country.rows<{ view_id: string }>('edge.view_resource').map(({ view_id: id }) => id));
  for (const view of country.rows<ViewRow>('edge.view')) {
    const where = `${country.code} edge.view ${view.id}`;
    const ended = facts.permits.get(view.permit_id)?.end !== undefined;
    if (ended) findings.demand(view.state === 'destroyed', 9, where, 'its permit has ended, the view has not');
    if (now > view.until.getTime() + OVERDUE_MS)
      findings.demand(view.state === 'destroyed', 9, where, 'its permit has expired, the view is there');
    if (view.state === 'destroyed') {
      findings.demand(!shown.has(view.id) && bodies.isDestroyed(view.key_id), 9, where, 'destroyed, and its content or key is still there');
    } else findings.demand(shown.has(view.id) && !bodies.isDestroyed(view.key_id), 4, where, 'stands, and its content or key is gone');
  }
}

/** How long after its time a view may wait for the hand that destroys it. */
const OVERDUE_MS = 120_000;

/** A custodian's permits are on the channel as its rows say: ended here, ended there; anchored here, standing there. */
export function checkPermits(country: Country, facts: LedgerFacts, findings: Findings): void {
  for (const permit of country.rows<PermitRow>('exchange.permit')) {
    const where = `${country.code} exchange.permit ${permit.id}`;
    const standing = facts.permits.get(permit.id);
    findings.demand(permit.state !== 'granted', 4, where, 'granted, and its anchor never came or never counted');
    if (permit.state === 'anchored')
      findings.demand(standing !== undefined && standing.end === undefined, 3, where, 'anchored here, not standing on the channel');
    if (permit.state === 'ended')
      findings.demand(standing === undefined || standing.end !== undefined, 3, where, 'ended here, standing on the channel');
  }
}
