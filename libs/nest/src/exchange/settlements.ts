import { PortolanError } from '@portolan/contracts';
import {
  DUE_NOW,
  adoptionKey,
  askerData,
  custodianData,
  ensureTransferId,
  expiryOf,
  instant,
  lateMark,
  needed,
  post,
  recordAct,
  sealAnswer,
  signals,
  withholdRelease,
  type CustodianState,
  type ExchangePorts,
  type ExchangeTx,
  type RoleMessages,
  type Signal,
  type Transfer,
} from '@portolan/domain';

/** Moves a waiting transfer on; false where it stands elsewhere already. */
export function moveOn(tx: ExchangeTx, transferId: string, signal: Signal, data: Record<string, unknown>): Promise<boolean> {
  return tx.transfers.advance(ensureTransferId(transferId), signal.from, signal.to, { data, dueAt: DUE_NOW });
}

type StepSettled = RoleMessages['step.settled'];
const LATE_REFUSABLE: readonly CustodianState[] = ['anchored', 'sent', 'receipted'];

/** What became of an act or a step on the channel. Late ones settle when their transfer has gone on: they move nothing, and are kept. */
export class Settlements {
  constructor(private readonly ports: ExchangePorts) {}

  /** A permit's act bears the permit's id; other acts move nothing. */
  async act(tx: ExchangeTx, { actId, state }: RoleMessages['act.settled']): Promise<void> {
    const permit = await tx.permits.get(actId);
    if (permit === undefined) return;
    if (state === 'committed') {
      // Ended while its anchor was under way: the end is queued behind it, and the release must not happen.
      if (permit.state === 'granted') await tx.permits.mark(permit.id, 'anchored');
      if (permit.state !== 'ended') await moveOn(tx, permit.transferId, signals.permitAnchored, {});
      else await this.withhold(tx, permit.transferId, 'permitting');
      return;
    }
    await tx.permits.mark(permit.id, 'ended');
    await this.withhold(tx, permit.transferId, 'permitting');
  }

  async step(tx: ExchangeTx, body: StepSettled): Promise<void> {
    if (body.act !== undefined) return this.adoption(tx, body, body.act);
    if (body.state === 'rejected') return this.rejected(tx, body);
    const { transferId, step } = body;
    const stands = needed(body.stands, 'stands');
    if (step === 'released') return this.released(tx, transferId, stands);
    // A late step was queued without its predecessor's place: the notary found it.
    const data = { final: stands, ...(body.after === undefined ? {} : { released: body.after }) };
    if (step === 'expired') return this.expired(tx, transferId, data);
    const signal = { received: signals.receivedAnchored, refused: signals.refusedAnchored }[step];
    if (signal !== undefined) await moveOn(tx, transferId, signal, data);
  }

  /** An adoption moves nothing; where it stands is kept beside its opening. */
  private async adoption(tx: ExchangeTx, { transferId, stands, code }: StepSettled, act: string): Promise<void> {
    const transfer = await this.transferOf(tx, transferId);
    const kept = transfer === undefined ? undefined : askerData(transfer)[adoptionKey(act)];
    if (transfer === undefined || kept === undefined) return;
    const settled = { ...kept, ...(stands === undefined ? {} : { stands }), ...(code === undefined ? {} : { code }) };
    const data = { [adoptionKey(act)]: settled };
    if (!(await tx.transfers.advance(transfer.transferId, transfer.state, transfer.state, { data })))
      throw new PortolanError('store.conflict', `transfer ${transferId}`);
  }

  /** Kept where the transfer has gone on without its anchor; its receiver's day counts from now. */
  private async released(tx: ExchangeTx, transferId: string, stands: NonNullable<StepSettled['stands']>): Promise<void> {
    const data = { released: stands };
    if (await moveOn(tx, transferId, signals.releaseAnchored, data)) return;
    const transfer = await this.transferOf(tx, transferId);
    if (transfer === undefined) return;
    const due = transfer.state === 'sent' ? { dueAt: await expiryOf(transfer, stands, this.ports) } : {};
    await tx.transfers.advance(transfer.transferId, transfer.state, transfer.state, { data, ...due });
  }

  private async rejected(tx: ExchangeTx, { transferId, step, code, ended }: StepSettled): Promise<void> {
    const transfer = await this.transferOf(tx, transferId);
    if (transfer === undefined) return;
    switch (step) {
      case 'released':
        if (transfer.state === 'sealed') await this.withhold(tx, transferId, 'sealed');
        else await this.lateRefused(tx, transfer, code);
        return;
      case 'received':
        return this.takeBack(tx, transfer);
      case 'refused':
        await tx.transfers.advance(transfer.transferId, 'refusing', 'failed', {});
        return;
      case 'expired':
        return this.notExpired(tx, transfer, ended);
    }
  }

  /** Another end of the transfer stands before ours: the receiver's, whose counter-receipt we await again, or its own word that it expired. */
  private async notExpired(tx: ExchangeTx, transfer: Transfer, ended: string | undefined): Promise<void> {
    if (ended === undefined) return;
    if (ended === 'expired') return this.expired(tx, transfer.transferId, {});
    const overtaken = custodianData(transfer).receipt === undefined ? signals.expiryOvertaken : signals.expiryOvertakenByReceipt;
    await moveOn(tx, transfer.transferId, overtaken, {});
  }

  /** Nobody opens it any more: content and sealed parts go, as they do when a transfer closes; hashes and leaf remain for the receipt. */
  private async expired(tx: ExchangeTx, transferId: string, data: Record<string, unknown>): Promise<void> {
    const transfer = await this.transferOf(tx, transferId);
    const sealed = transfer?.state === 'expiring' ? custodianData(transfer).sealed : undefined;
    const emptied = sealed === undefined ? {} : { content: null, sealed: { hashes: sealed.hashes, parts: [] } };
    await moveOn(tx, transferId, signals.expiryAnchored, { ...data, ...emptied });
  }

  /** Our final step came too late for the channel: what was opened is destroyed, and the sender anchors `expired`. */
  private async takeBack(tx: ExchangeTx, transfer: Transfer): Promise<void> {
    const { transferId, keyId, permitId } = transfer;
    if (!(await tx.transfers.advance(transferId, 'receiving', 'failed', {})) || permitId === undefined) return;
    const body = { permitId, reason: 'receipt-rejected' };
    await post(tx, { id: this.ports.random.uuid(), type: 'view.destroy', key: transferId, keyId, body });
  }

  /** A record left on our word alone, and the channel does not take that word: for person, custodian and regulator to see. */
  private async lateRefused(tx: ExchangeTx, transfer: Transfer, code: string | undefined): Promise<void> {
    const from = LATE_REFUSABLE.find((state) => state === transfer.state);
    if (
      from === undefined ||
      !(await tx.transfers.advance(transfer.transferId, from, 'failed', { data: { content: null, refusal: code } }))
    )
      return;
    const { transferId, partner, person, keyId } = transfer;
    const { actor, purpose } = needed(custodianData(transfer).asked, 'asked');
    const recorded = instant(this.ports.clock.now());
    const facts = { act: 'record-released', outcome: 'failed', recorded, actor, purpose, partner, transferId } as const;
    const optional = { ...lateMark(custodianData(transfer)), ...(code === undefined ? {} : { reason: code }) };
    await recordAct(tx, this.ports.random, { ...facts, ...optional, country: this.ports.country.code }, { person, keyId });
  }

  private async withhold(tx: ExchangeTx, transferId: string, from: CustodianState): Promise<void> {
    const transfer = await this.transferOf(tx, transferId);
    if (transfer?.state !== from) return;
    const none = await sealAnswer(needed(custodianData(transfer).asked, 'asked'), 'none', this.ports);
    await withholdRelease(tx, transfer, from, none, this.ports);
  }

  private async transferOf(tx: ExchangeTx, transferId: string): Promise<Transfer | undefined> {
    return (await tx.transfers.get(ensureTransferId(transferId))) as Transfer | undefined;
  }
}
