import type { CountryCode, ExchangeNotice, Uuid } from '@portolan/contracts';
import { canonicalJson, PortolanError } from '@portolan/contracts';
import {
  DUE_NOW,
  adoptionKey,
  askerData,
  ensureTransferId,
  instant,
  needed,
  post,
  signals,
  type ExchangePorts,
  type ExchangeTx,
  type RoleMessages,
  type Transfer,
} from '@portolan/domain';
import { base64url, commit, sha256Hex, utf8 } from '@portolan/verify';
import type { Handlers } from '../link/deliveries.js';
import { tellReceivers } from './amendments.js';
import type { Emergencies } from './emergencies.js';
import type { Grounds } from './grounds.js';
import { sendNotice } from './notices.js';
import { moveOn, Settlements } from './settlements.js';

/** What the exchange does when another role of its country tells it something. */
export function exchangeHandlers(
  ports: ExchangePorts,
  grounds: Grounds,
  emergencies: Emergencies,
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
      await moveOn(tx, transferId, signals.viewStored, {});
    },
    'view.notice': (tx, body, id) => tellCustodian(tx, body, id, ports),
    'resource.changed': (tx, body) => tellReceivers(tx, body, ports),
    'emergency.declare': (tx, body) => emergencies.declare(tx, body),
    'emergency.end': (tx, body) => emergencies.end(tx, body),
    'emergency.review': (tx, body) => emergencies.review(tx, body),
    'person.erase': (tx, { person }) => grounds.erase(tx, person),
    'person.joined': (tx, body) => grounds.joined(tx, body),
    'person.parted': (tx, body) => grounds.parted(tx, body),
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
    dueAt: DUE_NOW,
    attempts: 0,
    createdAt: now,
  });
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
async function tellCustodian(tx: ExchangeTx, body: RoleMessages['view.notice'], id: Uuid, ports: ExchangePorts): Promise<void> {
  const transfer = (await tx.transfers.get(ensureTransferId(body.transferId))) as Transfer | undefined;
  if (transfer?.permitId !== body.permitId) throw new PortolanError('exchange.transfer-unknown', 'exchange/notice');
  const { kind, permitId, actor, reason, items, proposal } = body;
  const optional = { actor, reason, proposal };
  const draft = { kind, permitId, items, ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) };
  await sendNotice(tx, transfer, draft, ports);
  if (kind === 'adopted') await anchorAdoption(tx, transfer, { id, items }, ports);
}

/** One act of taking items over; its id is that of the edge's message about it. */
interface Adoption {
  readonly id: Uuid;
  readonly items: ExchangeNotice['items'];
}

/** Each adoption is a step of its own: its items and their source versions are committed to, and the opening stays in the transfer's row. */
async function anchorAdoption(tx: ExchangeTx, transfer: Transfer, { id, items }: Adoption, ports: ExchangePorts): Promise<void> {
  const { transferId, keyId, partner: from } = transfer;
  const { released, lateRelease } = askerData(transfer);
  const release = released?.leaf ?? needed(lateRelease, 'lateRelease').leaf;
  const us = ports.country.code;
  const salt = ports.random.bytes(32);
  const adoption = canonicalJson({ salt: base64url(salt), items });
  const kept = await tx.transfers.advance(transferId, transfer.state, transfer.state, {
    data: { [adoptionKey(id)]: { opening: adoption } },
  });
  // It has just moved on: the command comes again.
  if (!kept) throw new PortolanError('store.conflict', `transfer ${transferId}`);
  const predecessor = sha256Hex(release, ports.sha256);
  const commitment = commit(salt, utf8(adoption), ports.sha256);
  const leaf = canonicalJson({ v: 1, step: 'adopted', transferId, from, to: us, by: us, predecessor, commitment });
  const after = released === undefined ? {} : { after: released };
  const body = { transferId, step: 'adopted', act: id, leaf, ...after };
  await post(tx, { id: ports.random.uuid(), type: 'step.anchor', key: transferId, keyId, body });
}
