import { canonicalJson, PortolanError, type ExchangeRecord, type ExchangeRequest, type PermitOpening } from '@portolan/contracts';
import { base64url, hexOf } from '@portolan/verify';
import type { AuditFacts } from '../audit/audit-event.js';
import { recordAct } from '../audit/record-act.js';
import { instant } from '../kernel/machine.port.js';
import { post } from '../messages/post.js';
import { answerMessages, sealAnswer } from '../permit/answer.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { custodianData, lateMark, needed, type SealedParts } from '../transfer/transfer.data.js';
import type { RecordsWanted } from './record-source.port.js';
import type { ReleasePlan } from './release.js';
import { release, type ManifestEntry } from './release.js';

interface Facts {
  readonly plan: ReleasePlan;
  readonly request: ExchangeRequest;
  readonly opening: string;
  readonly salt: string;
  readonly none: SealedParts;
  /** Registry code of a source that failed for good. */
  readonly failed: string | undefined;
}

type Decision =
  | { readonly to: 'assembled'; readonly content: string; readonly salt: string; readonly manifest: readonly ManifestEntry[] }
  | { readonly to: 'answered'; readonly none: SealedParts; readonly reason: string };

/**
 * Row 6: the record is assembled, minimised to what the permit covers, and given its narrative. The audit event that tells the person
 * is written in the same transaction: a release that cannot be recorded does not happen.
 */
export const releaseRow = row<ExchangeTx, ExchangePorts, Transfer, Facts, Decision>({
  step: 'release',
  role: 'exchange',
  side: 'custodian',
  from: 'permitted',
  to: ['assembled', 'answered'],
  async gather(transfer, ports) {
    const data = custodianData(transfer);
    const request = needed(data.asked, 'asked');
    const text = needed(data.opening, 'opening');
    const opening = JSON.parse(text) as PermitOpening;
    const wanted = {
      person: needed(transfer.person, 'person'),
      categories: opening.categories,
      since: opening.since,
      until: request.until,
    };
    const { gathered, failed } = await gatherInTime(wanted, needed(transfer.limit, 'limit'), ports);
    const none = await sealAnswer(request, 'none', ports);
    return {
      plan: planOf(opening, request, gathered, ports),
      request,
      opening: text,
      salt: base64url(ports.random.bytes(32)),
      none,
      failed,
    };
  },
  decide({ plan, request, opening, salt, none, failed }) {
    const released = release(plan);
    // What was there when the permit was decided is gone now: the same answer as ever.
    if (released === undefined) return { to: 'answered', none, reason: failed ?? 'no-data' };
    const { transferId, from, to } = request;
    const record: ExchangeRecord = {
      v: 1,
      transferId,
      from: to,
      to: from,
      salt,
      opening,
      contentType: released.contentType,
      record: released.text,
      time: plan.timestamp,
    };
    return { to: 'assembled', content: canonicalJson(record), salt, manifest: released.manifest };
  },
  write: (tx, transfer, decision, ports) =>
    decision.to === 'assembled' ? keep(tx, transfer, decision, ports) : takeBack(tx, transfer, decision, ports),
});

interface Gathered {
  readonly gathered: ReleasePlan['gathered'];
  readonly failed: string | undefined;
}

/**
 * A source that fails is asked again until the record could not be opened any more; then nothing is left to release, and the transfer
 * ends like any other without an answer.
 */
async function gatherInTime(wanted: RecordsWanted, limit: string, ports: ExchangePorts): Promise<Gathered> {
  try {
    return { gathered: await ports.records.gather(wanted), failed: undefined };
  } catch (error) {
    const code = error instanceof PortolanError && error.code.startsWith('source.') ? error.code : undefined;
    const over = Date.parse(limit) <= ports.clock.now();
    const final = code !== undefined && error instanceof PortolanError && !error.retriable;
    if (over || final) return { gathered: [], failed: code };
    throw error;
  }
}

function planOf(opening: PermitOpening, request: ExchangeRequest, gathered: ReleasePlan['gathered'], ports: ExchangePorts): ReleasePlan {
  const { country, clock, sha256 } = ports;
  return {
    permit: { categories: opening.categories, since: opening.since, identifiers: [opening.person] },
    asked: { categories: request.categories, since: request.since, until: request.until },
    gathered,
    custodian: { country: country.code, ...country.custodian },
    wording: country.wording,
    timestamp: instant(clock.now()),
    sha256: (bytes) => hexOf(sha256(bytes)),
  };
}

async function keep(
  tx: ExchangeTx,
  transfer: Transfer,
  { content, salt, manifest }: Extract<Decision, { to: 'assembled' }>,
  ports: ExchangePorts,
): Promise<void> {
  if (!(await tx.transfers.advance(transfer.transferId, 'permitted', 'assembled', { data: { content, salt, manifest } }))) return;
  const request = needed(custodianData(transfer).asked, 'asked');
  const permit = transfer.permitId === undefined ? {} : { permitId: transfer.permitId };
  await recordAct(
    tx,
    ports.random,
    {
      act: 'record-released',
      recorded: instant(ports.clock.now()),
      outcome: 'success',
      actor: request.actor,
      country: ports.country.code,
      partner: request.from,
      purpose: request.purpose,
      transferId: transfer.transferId,
      ...permit,
      categories: needed(custodianData(transfer).grant, 'grant').categories,
      items: manifest.map(({ type, id }) => `${type}/${id}`),
      ...fetchedOf(manifest),
      ...lateMark(custodianData(transfer)),
    },
    { person: transfer.person, keyId: transfer.keyId },
  );
}

/** Which services were asked, and the hash of each answer that something came from. */
function fetchedOf(manifest: readonly ManifestEntry[]): Pick<AuditFacts, 'fetched'> {
  const answers = new Map(manifest.flatMap(({ fetched }) => (fetched === undefined ? [] : [[fetched.answer, fetched] as const])));
  return answers.size === 0 ? {} : { fetched: [...answers.values()] };
}

async function takeBack(
  tx: ExchangeTx,
  transfer: Transfer,
  { none, reason }: Extract<Decision, { to: 'answered' }>,
  ports: ExchangePorts,
): Promise<void> {
  if (!(await tx.transfers.advance(transfer.transferId, 'permitted', 'answered', {}))) return;
  const request = needed(custodianData(transfer).asked, 'asked');
  const permitId = needed(transfer.permitId, 'permitId');
  await tx.permits.mark(permitId, 'ended');
  await post(tx, {
    id: ports.random.uuid(),
    type: 'act.anchor',
    key: transfer.transferId,
    keyId: transfer.keyId,
    body: { fn: 'end-permit', args: { v: 1, permitId } },
  });
  for (const message of answerMessages(request, custodianData(transfer), none, ports)) await tx.outgoing.add(message);
  await recordAct(
    tx,
    ports.random,
    {
      act: 'release-refused',
      recorded: instant(ports.clock.now()),
      outcome: 'refused',
      reason,
      actor: request.actor,
      country: ports.country.code,
      partner: request.from,
      purpose: request.purpose,
      transferId: transfer.transferId,
      permitId,
    },
    { person: transfer.person, keyId: transfer.keyId },
  );
}
