import { canonicalJson, PortolanError, type ExchangeNotice } from '@portolan/contracts';
import {
  askerData,
  custodianData,
  instant,
  outgoing,
  post,
  recordAct,
  sealContent,
  type Act,
  type AuditAct,
  type ExchangePorts,
  type ExchangeTx,
  type Transfer,
} from '@portolan/domain';

type Draft = Omit<ExchangeNotice, 'v' | 'id' | 'from' | 'to' | 'time' | 'transferId'>;

/** Signs and seals a notice about a transfer and queues it for the partner, in the caller's transaction. */
export async function sendNotice(tx: ExchangeTx, transfer: Transfer, draft: Draft, ports: ExchangePorts): Promise<void> {
  const { transferId, partner: to } = transfer;
  const from = ports.country.code;
  const key = await ports.channel.sealKey(to);
  if (key === undefined) throw new PortolanError('request.partner-has-no-key', 'exchange/notice');
  const time = instant(ports.clock.now());
  const notice: ExchangeNotice = { v: 1, id: ports.random.uuid(), transferId, from, to, time, ...draft };
  const head = { kind: 'notice', transferId, from, to } as const;
  const sealed = await sealContent(ports.sealer, ports.sha256, canonicalJson(notice), head, key);
  for (const message of outgoing(head, notice.id, sealed, time)) await tx.outgoing.add(message);
}

/** What the custodian's person is told when the other country says what it did with her record. */
const abroad: Partial<Record<ExchangeNotice['kind'], AuditAct>> = {
  accessed: 'view-read-abroad',
  destroyed: 'view-destroyed-abroad',
  adopted: 'item-adopted-abroad',
  proposal: 'change-proposed',
};

/** Takes a partner's notice: custodians record what was done abroad and tell the person, receivers amend their view. */
export async function applyNotice(tx: ExchangeTx, transfer: Transfer, notice: ExchangeNotice, ports: ExchangePorts): Promise<void> {
  if (transfer.permitId !== notice.permitId) throw new PortolanError('exchange.transfer-unknown', 'exchange/notice', 'another permit');
  if (transfer.side === 'asker') return amend(tx, transfer, notice, ports);
  const act = abroad[notice.kind];
  if (act === undefined) throw new PortolanError('exchange.envelope-invalid', 'exchange/notice', 'not for a custodian');
  await recordAct(tx, ports.random, noticeAct(act, transfer, notice, ports), { person: transfer.person, keyId: transfer.keyId });
  if (notice.kind === 'proposal' && notice.proposal !== undefined && transfer.person !== undefined) {
    const { transferId, items, proposal, actor, reason } = notice;
    const body = {
      transferId,
      person: transfer.person,
      items,
      proposal,
      ...(actor === undefined ? {} : { actor }),
      ...(reason === undefined ? {} : { reason }),
    };
    await post(tx, { id: notice.id, type: 'proposal.arrived', key: transferId, keyId: transfer.keyId, body });
  }
}

async function amend(tx: ExchangeTx, transfer: Transfer, notice: ExchangeNotice, ports: ExchangePorts): Promise<void> {
  if (notice.kind !== 'amended') throw new PortolanError('exchange.envelope-invalid', 'exchange/notice', 'not for a receiver');
  const { transferId, keyId } = transfer;
  await post(tx, { id: notice.id, type: 'view.amend', key: transferId, keyId, body: { transferId, items: notice.items } });
  await recordAct(tx, ports.random, noticeAct('entry-amended-abroad', transfer, notice, ports), { person: undefined, keyId });
}

function noticeAct(act: AuditAct, transfer: Transfer, notice: ExchangeNotice, ports: ExchangePorts): Act {
  const asked = custodianData(transfer).asked ?? askerData(transfer).asked;
  const node = { system: 'urn:portolan:node', value: notice.from };
  const machine = {
    kind: 'machine' as const,
    name: `Portolan node ${notice.from}`,
    id: node,
    role: 'node',
    organisation: { id: node, name: `Portolan node ${notice.from}` },
  };
  return {
    act,
    recorded: instant(ports.clock.now()),
    outcome: 'success',
    actor: notice.actor ?? machine,
    country: ports.country.code,
    partner: notice.from,
    ...(asked === undefined ? {} : { purpose: asked.purpose }),
    ...(notice.reason === undefined ? {} : { reason: notice.reason }),
    transferId: notice.transferId,
    permitId: notice.permitId,
    items: notice.items.map(({ type, id }) => `${type}/${id}`),
  };
}
