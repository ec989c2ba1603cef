import type { CountryCode, ExchangeNotice } from '@portolan/contracts';
import { canonicalJson, PortolanError } from '@portolan/contracts';
import {
  answerMessages,
  askerData,
  custodianData,
  ensureTransferId,
  instant,
  needed,
  post,
  recordAct,
  sealAnswer,
  signals,
  type ExchangePorts,
  type ExchangeTx,
  type RoleMessages,
  type Signal,
  type Transfer,
  type TransferState,
} from '@portolan/domain';
import { commit, bytesOfBase64url, base64url, utf8, sha256Hex } from '@portolan/verify';
import type { Handlers } from '../link/deliveries.js';
import type { Grounds } from './grounds.js';
import { sendNotice } from './notices.js';

/** What the exchange does when another role of its country tells it something. */
export function exchangeHandlers(
  ports: ExchangePorts,
  grounds: Grounds,
  dropKey: (org: CountryCode, kid: string) => void,
): Handlers<ExchangeTx> {
  const settled = new Settlements(ports);
  return {
    'transfer.ask': (tx, body) => beginAsking(tx, body, ports),
    'consent.give': (tx, body, id) => grounds.give(tx, body, id),
    'consent.withdraw': (tx, body) => grounds.withdraw(tx, body),
    'restriction.set': (tx, body) => grounds.restrict(tx, body),
    'restriction.lift': (tx, body) => grounds.lift(tx, body),
    'view.stored': async (tx, { transferId }) => {
      await move(tx, transferId, signals.viewStored, {}, ports);
    },
    'view.notice': (tx, body) => tellCustodian(tx, body, ports),
    'resource.changed': (tx, body) => tellReceivers(tx, body, ports),
    'emergency.declare': (tx, body) => declareEmergency(tx, body, ports),
    'emergency.review': async (tx, { emergencyId, outcome }) => {
      const keyId = await tx.keys.create();
      const args = { v: 1, emergencyId, outcome };
      await post(tx, { id: ports.random.uuid(), type: 'act.anchor', key: emergencyId, keyId, body: { fn: 'review-emergency', args } });
    },
    'person.erase': async (tx, { person }) => tx.keys.erase(person),
    'act.settled': (tx, body) => settled.act(tx, body),
    'step.settled': (tx, body) => settled.step(tx, body),
    'permit.ended-on-channel': (tx, { permitId }) => endViews(tx, permitId, ports),
    'key.ended-on-channel': async (_tx, { org, kid }) => dropKey(org, kid),
  };
}

async function beginAsking(tx: ExchangeTx, command: RoleMessages['transfer.ask'], ports: ExchangePorts): Promise<void> {
  const now = instant(ports.clock.now());
  await tx.transfers.create({
    transferId: ensureTransferId(command.transferId),
    side: 'asker',
    kind: command.kind,
    partner: command.country,
    state: 'asking',
    permitId: undefined,
    person: undefined,
    keyId: await tx.keys.create(),
    data: { command, ...(command.trace === undefined ? {} : { trace: command.trace }) },
    limit: now,
    dueAt: now,
    attempts: 0,
    createdAt: now,
  });
}

function move(tx: ExchangeTx, transferId: string, signal: Signal, data: Record<string, unknown>, ports: ExchangePorts): Promise<boolean> {
  return tx.transfers.advance(ensureTransferId(transferId), signal.from, signal.to, { data, dueAt: instant(ports.clock.now()) });
}

/** What became of an act or a step on the channel. */
class Settlements {
  constructor(private readonly ports: ExchangePorts) {}

  /** A permit's act bears the permit's id; other acts move nothing. */
  async act(tx: ExchangeTx, { actId, state }: RoleMessages['act.settled']): Promise<void> {
    const permit = await tx.permits.get(actId);
    if (permit === undefined) return;
    if (state === 'committed') {
      // Ended while its anchor was under way: the end is queued behind it, and the release must not happen.
      if (permit.state === 'granted') await tx.permits.mark(permit.id, 'anchored');
      if (permit.state !== 'ended') await move(tx, permit.transferId, signals.permitAnchored, {}, this.ports);
      else await this.answerNone(tx, permit.transferId, 'permitting');
      return;
    }
    await tx.permits.mark(permit.id, 'ended');
    await this.answerNone(tx, permit.transferId, 'permitting');
  }

  async step(tx: ExchangeTx, body: RoleMessages['step.settled']): Promise<void> {
    const { transferId, step, state, stands } = body;
    if (state === 'rejected') return this.rejected(tx, transferId, step);
    const data = step === 'released' ? { released: needed(stands, 'stands') } : { final: needed(stands, 'stands') };
    const signal = {
      released: signals.releaseAnchored,
      received: signals.receivedAnchored,
      refused: signals.refusedAnchored,
      expired: signals.expiryAnchored,
    }[step];
    if (signal !== undefined) await move(tx, transferId, signal, data, this.ports);
  }

  private async rejected(tx: ExchangeTx, transferId: string, step: string): Promise<void> {
    if (step === 'released') return this.answerNone(tx, transferId, 'sealed');
    const id = ensureTransferId(transferId);
    const transfer = await tx.transfers.get(id);
    if (transfer === undefined) return;
    // Our final step came too late for the channel: what was opened is destroyed, and the sender anchors `expired`.
    if (step === 'received' && (await tx.transfers.advance(id, 'receiving', 'failed', {})) && transfer.permitId !== undefined) {
      const body = { permitId: transfer.permitId, reason: 'receipt-rejected' };
      await post(tx, { id: this.ports.random.uuid(), type: 'view.destroy', key: transferId, keyId: transfer.keyId, body });
    }
    if (step === 'refused') await tx.transfers.advance(id, 'refusing', 'failed', {});
  }

  /** The permit ended, or was not accepted, before anything left: the asker gets the one negative answer. */
  private async answerNone(tx: ExchangeTx, transferId: string, from: TransferState): Promise<void> {
    const transfer = (await tx.transfers.get(ensureTransferId(transferId))) as Transfer | undefined;
    if (
      transfer === undefined ||
      !(await tx.transfers.advance(transfer.transferId, from, 'answered', { data: { content: null, sealed: null } }))
    )
      return;
    const data = custodianData(transfer);
    const request = needed(data.asked, 'asked');
    for (const message of answerMessages(request, data, await sealAnswer(request, 'none', this.ports), this.ports))
      await tx.outgoing.add(message);
    const facts = {
      act: 'release-refused',
      recorded: instant(this.ports.clock.now()),
      outcome: 'refused',
      reason: 'withdrawn',
      actor: request.actor,
    } as const;
    const context = { country: this.ports.country.code, partner: request.from, purpose: request.purpose, transferId };
    await recordAct(tx, this.ports.random, { ...facts, ...context }, { person: transfer.person, keyId: transfer.keyId });
  }
}

/** A permit of ours ended, whatever the cause: what was opened under it is destroyed. */
async function endViews(tx: ExchangeTx, permitId: string, ports: ExchangePorts): Promise<void> {
  for (const transfer of (await tx.transfers.byPermit(permitId)).filter(({ side }) => side === 'asker')) {
    await post(tx, {
      id: ports.random.uuid(),
      type: 'view.destroy',
      key: transfer.transferId,
      keyId: transfer.keyId,
      body: { permitId, reason: 'permit-ended' },
    });
  }
}

/** The edge used, destroyed, adopted or wants to correct something of a foreign record: its custodian is told, and the person through it. */
async function tellCustodian(tx: ExchangeTx, body: RoleMessages['view.notice'], ports: ExchangePorts): Promise<void> {
  const transfer = (await tx.transfers.get(ensureTransferId(body.transferId))) as Transfer | undefined;
  if (transfer?.permitId !== body.permitId) throw new PortolanError('exchange.transfer-unknown', 'exchange/notice');
  const { kind, permitId, actor, reason, items, proposal } = body;
  const optional = { actor, reason, proposal };
  const draft = { kind, permitId, items, ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) };
  await sendNotice(tx, transfer, draft, ports);
  if (kind === 'adopted') await anchorAdoption(tx, transfer, ports);
}

async function anchorAdoption(tx: ExchangeTx, transfer: Transfer, ports: ExchangePorts): Promise<void> {
  const { transferId, keyId, partner } = transfer;
  const released = needed(askerData(transfer).released, 'released');
  const us = ports.country.code;
  const leaf = canonicalJson({
    v: 1,
    step: 'adopted',
    transferId,
    from: partner,
    to: us,
    by: us,
    predecessor: sha256Hex(released.leaf, ports.sha256),
  });
  await post(tx, {
    id: ports.random.uuid(),
    type: 'step.anchor',
    key: transferId,
    keyId,
    body: { transferId, step: 'adopted', leaf, after: released },
  });
}

/** An entry changed that had been released: each receiver whose permit is still live is told which. */
async function tellReceivers(tx: ExchangeTx, body: RoleMessages['resource.changed'], ports: ExchangePorts): Promise<void> {
  for (const permit of await tx.permits.ofPerson(body.person)) {
    const transfer = (await tx.transfers.get(permit.transferId)) as Transfer | undefined;
    const entry =
      transfer === undefined ? undefined : custodianData(transfer).manifest?.find(({ type, id }) => type === body.type && id === body.id);
    if (transfer === undefined || entry === undefined || permit.state === 'ended') continue;
    const items: ExchangeNotice['items'] = [{ type: body.type, id: entry.releasedAs, change: body.change }];
    await sendNotice(tx, transfer, { kind: 'amended', permitId: permit.id, reason: body.reason, items }, ports);
  }
}

async function declareEmergency(tx: ExchangeTx, body: RoleMessages['emergency.declare'], ports: ExchangePorts): Promise<void> {
  const keyId = await tx.keys.create();
  const { emergencyId: id, country: custodian, until, reviewDue, reason, actor } = body;
  const us = ports.country.code;
  const declared = instant(ports.clock.now());
  const salt = base64url(ports.random.bytes(32));
  const commitment = commit(bytesOfBase64url(salt), utf8(canonicalJson({ salt, reason, actor })), ports.sha256);
  const args = { v: 1, id, by: us, custodian, recipient: us, declared, until, reviewDue, commitment };
  await post(tx, { id, type: 'act.anchor', key: id, keyId, body: { fn: 'declare-emergency', args } });
  await recordAct(
    tx,
    ports.random,
    { act: 'emergency-declared', recorded: declared, outcome: 'success', actor, country: us, partner: custodian, purpose: 'ETREAT' },
    { person: undefined, keyId },
  );
}
