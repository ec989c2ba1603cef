import { Inject, Injectable } from '@nestjs/common';
import { errorRegistry, isErrorCode, PortolanError } from '@portolan/contracts';
import { earlierAnswer, type EdgeTx, type IngestAnswer, type Principal, type Reject, type StoredMessage } from '@portolan/domain';
import { EdgeParts } from '../edge.parts.js';
import { IngestService, NotRepaired } from '../ingest/index.js';
import { operatorActor, recordOperatorAct } from './operator-acts.js';

/** Rejects in one list, at most; the oldest come first, so that work on them makes room. */
const MAX_LISTED = 500;

/** What an operator may see of a reject without asking for the original: codes and places, no value of the message. */
export interface RejectView extends Reject {
  readonly what: string;
  readonly next: string;
}

export interface RejectDetail extends RejectView {
  readonly via: StoredMessage['via'] | undefined;
  readonly controlId: string | undefined;
  readonly bytes: number | undefined;
  readonly problems: readonly { readonly code: string; readonly where: string }[];
}

/** What could not be used, until it is repaired or discarded (design, invariant 4). Each act is an event of the operator's. */
@Injectable()
export class RejectsService {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(IngestService) private readonly ingest: IngestService,
  ) {}

  async list(state: Reject['state'], operator: Principal): Promise<readonly RejectView[]> {
    return this.parts.uow.run(async (tx) => {
      const rejects = await tx.rejects.list(state, MAX_LISTED);
      await recordOperatorAct(tx, operator, { act: 'rejects-read' }, this.parts);
      return rejects.map(viewOf);
    });
  }

  async get(id: string, operator: Principal): Promise<RejectDetail> {
    return this.parts.uow.run(async (tx) => {
      const reject = await rejectOf(tx, id);
      const message = await tx.messages.get(reject.messageId);
      const { problems } = earlierAnswer(reject.messageId, 'rejected', await tx.messages.account(reject.messageId));
      await recordOperatorAct(tx, operator, { act: 'rejects-read', items: itemsOf(reject), ...keyOf(message) }, this.parts);
      const told = problems.map(({ code, path: where }) => ({ code, where }));
      return { ...viewOf(reject), via: message?.via, controlId: message?.controlId, bytes: message?.original.length, problems: told };
    });
  }

  /** The bytes as they came; `operator.original-gone` where their key is destroyed. */
  async original(id: string, operator: Principal): Promise<Uint8Array> {
    return this.parts.uow.run(async (tx) => {
      const reject = await rejectOf(tx, id);
      const message = await originalOf(tx, reject);
      await recordOperatorAct(tx, operator, { act: 'reject-original-read', items: itemsOf(reject), keyId: message.keyId }, this.parts);
      return message.original;
    });
  }

  /** Files `repaired`, or the original once more (after maps, sources or the person index were mended). Throws NotRepaired. */
  async replay(id: string, repaired: Uint8Array | undefined, operator: Principal): Promise<IngestAnswer> {
    const { reject, message } = await this.parts.uow.run(async (tx) => {
      const found = await openReject(tx, id);
      return { reject: found, message: await originalOf(tx, found) };
    });
    // Over MLLP the message itself names its sender, also when it is repaired; over HTTP its sender was authenticated.
    const source = message.via === 'mllp' ? undefined : reject.source;
    const repair = { reject, bytes: repaired ?? message.original, source, actor: operatorActor(operator, this.parts) };
    try {
      return await this.ingest.repair(repair);
    } catch (error) {
      if (error instanceof NotRepaired) await this.recordFailure(reject, message, error, operator);
      throw error;
    }
  }

  async discard(id: string, reason: string, operator: Principal): Promise<void> {
    await this.parts.uow.run(async (tx) => {
      const reject = await openReject(tx, id);
      await tx.rejects.close(reject.id, 'discarded', undefined, reason);
      const message = await tx.messages.get(reject.messageId);
      // The reason is somebody's free text: it stands encrypted with the reject, and not in the event.
      await recordOperatorAct(tx, operator, { act: 'reject-discarded', items: itemsOf(reject), ...keyOf(message) }, this.parts);
    });
  }

  private async recordFailure(reject: Reject, message: StoredMessage, { problems }: NotRepaired, operator: Principal): Promise<void> {
    const reason = problems[0]?.code ?? 'ingest.failed';
    const act = { act: 'reject-repaired', outcome: 'refused', reason, items: itemsOf(reject), keyId: message.keyId } as const;
    await this.parts.uow.run((tx) => recordOperatorAct(tx, operator, act, this.parts));
  }
}

async function rejectOf(tx: EdgeTx, id: string): Promise<Reject> {
  const reject = await tx.rejects.get(id);
  if (reject === undefined) throw new PortolanError('operator.reject-unknown', 'reject');
  return reject;
}

async function openReject(tx: EdgeTx, id: string): Promise<Reject> {
  const reject = await rejectOf(tx, id);
  if (reject.state !== 'open') throw new PortolanError('operator.reject-closed', 'reject', reject.state);
  return reject;
}

async function originalOf(tx: EdgeTx, reject: Reject): Promise<StoredMessage> {
  const message = await tx.messages.get(reject.messageId);
  if (message === undefined) throw new PortolanError('operator.original-gone', 'reject');
  return message;
}

const itemsOf = ({ id }: Reject): readonly string[] => [`Basic/${id}`];
const keyOf = (message: StoredMessage | undefined): { keyId?: string } => (message === undefined ? {} : { keyId: message.keyId });

function viewOf(reject: Reject): RejectView {
  const { what, next } = isErrorCode(reject.code)
    ? errorRegistry[reject.code]
    : { what: 'Refused by an older or newer version of this node', next: 'See its release notes' };
  return { ...reject, what, next };
}
