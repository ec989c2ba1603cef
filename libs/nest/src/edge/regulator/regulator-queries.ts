import { Inject, Injectable } from '@nestjs/common';
import { canonicalJson, PortolanError, type Receipt } from '@portolan/contracts';
import { instant, isUuid, type TrailPlace, type TrailStep } from '@portolan/domain';
import { authenticate, type CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { recordLocalAct } from '../local-acts.js';
import { authority } from './authority.js';
import { cursorOf, trailQuestion } from './trail-query.js';

export interface TrailAnswer {
  readonly steps: readonly TrailStep[];
  /** Cursor of the next page; absent on the last. */
  readonly next?: string;
}

/** What only a party to a transfer can add to its receipt. */
type Evidence = Pick<Receipt, 'sealed' | 'counterReceipt'>;

/** What a regulator asks of this country's node: each question is an audit event, written before its answer leaves. */
@Injectable()
export class RegulatorQueries {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  /** Newest first, over all countries. */
  trail(headers: CallHeaders, query: unknown): Promise<TrailAnswer> {
    return this.audited(headers, undefined, async () => {
      const question = trailQuestion(query, this.parts);
      const page = await this.parts.link.query<{ steps: readonly TrailStep[]; next?: TrailPlace }>('notary', 'trail', question);
      return { steps: page.steps, ...(page.next === undefined ? {} : { next: cursorOf(page.next, question.filter, this.parts.sha256) }) };
    });
  }

  /** Canonical JSON text of the receipt (its exact bytes verify); with the sealed parts and the counter-receipt where we were the sender. */
  receipt(headers: CallHeaders, transferId: string, step: unknown): Promise<string> {
    return this.audited(headers, transferId, async () => {
      if (!isUuid(transferId)) throw new PortolanError('trail.unknown', 'GET /regulator/receipts');
      if (typeof step !== 'string' || !/^[a-z]{1,20}$/.test(step)) throw new PortolanError('trail.query-invalid', 'parameter step');
      const { link, validators } = this.parts;
      const proof = await link.query<Receipt>('notary', 'receipt', { transferId, step });
      const evidence = step === 'released' ? await link.query<Evidence>('exchange', 'transfer.evidence', { transferId }) : {};
      const receipt = validators.check<Receipt>('receipt', { ...proof, ...evidence }, 'trail.receipt-unfit', 'GET /regulator/receipts');
      return canonicalJson(receipt);
    });
  }

  /** The pinned trust file as this node's own copy of the channel gives it. */
  trust(headers: CallHeaders): Promise<unknown> {
    return this.audited(headers, undefined, () => this.parts.link.query('notary', 'trust', {}));
  }

  /** Height of this node's copy of the channel, and where another country's copy differs. */
  ledger(headers: CallHeaders): Promise<unknown> {
    return this.audited(headers, undefined, () => this.parts.link.query('notary', 'ledger.state', {}));
  }

  /** Inclusion of an audit event in this country's log (RFC 6962, section 2.1.1). */
  eventProof(headers: CallHeaders, eventId: string): Promise<unknown> {
    return this.audited(headers, undefined, async () => {
      const proof = isUuid(eventId) ? await this.parts.link.query<object | undefined>('notary', 'event.proof', { eventId }) : undefined;
      if (proof === undefined) throw new PortolanError('trail.event-not-proved', 'GET /regulator/events');
      return { eventId, ...proof };
    });
  }

  private async audited<T>(headers: CallHeaders, transferId: string | undefined, answer: () => Promise<T>): Promise<T> {
    const { principal } = await authenticate(headers, ['regulator'], this.parts);
    const about = transferId !== undefined && isUuid(transferId) ? { transferId } : {};
    const facts = { act: 'trail-queried', actor: authority(principal, 'regulator'), country: this.parts.country.code, ...about } as const;
    try {
      const answered = await answer();
      await this.record({ ...facts, outcome: 'success' });
      return answered;
    } catch (error) {
      const reason = error instanceof PortolanError ? error.code : 'http.failed';
      await this.record({ ...facts, outcome: 'failed', reason });
      throw error;
    }
  }

  private record(act: Omit<Parameters<typeof recordLocalAct>[2], 'recorded'>): Promise<void> {
    const { uow, random, clock } = this.parts;
    return uow.run(async (tx) => {
      const keyId = await tx.keys.create();
      await recordLocalAct(tx, random, { ...act, recorded: instant(clock.now()) }, { person: undefined, keyId });
    });
  }
}
