import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import { isUuid, type Principal, type Reject } from '@portolan/domain';
import { authenticate, type CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { NotRepaired } from '../ingest/index.js';
import { sendProblem, type Reply } from '../problem.filter.js';
import { HealthService, type Health } from './health.service.js';
import { recordOperatorAct } from './operator-acts.js';
import { reasonOf, uuidOf } from './operator-inputs.js';
import { RejectsService, type RejectDetail, type RejectView } from './rejects.service.js';

/** The operator's API: what could not be used, what is stuck, and how to set it going again. No health data but an original on request. */
@Controller('operator')
export class OperatorController {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(RejectsService) private readonly rejects: RejectsService,
    @Inject(HealthService) private readonly healthService: HealthService,
  ) {}

  @Get('health')
  async health(@Headers() headers: CallHeaders): Promise<Health> {
    await this.operator(headers);
    return this.healthService.look();
  }

  @Get('rejects')
  async list(@Headers() headers: CallHeaders, @Query('state') state: unknown): Promise<{ rejects: readonly RejectView[] }> {
    const operator = await this.operator(headers);
    return { rejects: await this.rejects.list(stateOf(state), operator) };
  }

  @Get('rejects/:id')
  async get(@Headers() headers: CallHeaders, @Param('id') id: string): Promise<RejectDetail> {
    const operator = await this.operator(headers);
    return this.rejects.get(uuidOf(id), operator);
  }

  @Get('rejects/:id/original')
  async original(@Headers() headers: CallHeaders, @Param('id') id: string, @Res() reply: Reply): Promise<void> {
    const operator = await this.operator(headers);
    const bytes = await this.rejects.original(uuidOf(id), operator);
    reply.status(200).header('content-type', 'application/octet-stream').header('cache-control', 'no-store').send(Buffer.from(bytes));
  }

  @Post('rejects/:id/replay')
  async replay(@Headers() headers: CallHeaders, @Param('id') id: string, @Body() body: unknown, @Res() reply: Reply): Promise<void> {
    const operator = await this.operator(headers);
    try {
      const { messageId, state, problems } = await this.rejects.replay(uuidOf(id), bytesOf(body), operator);
      const warnings = problems.map(({ code, path: where }) => ({ code, where }));
      reply
        .status(200)
        .header('content-type', 'application/json')
        .send(JSON.stringify({ rejectId: id, messageId, state, warnings }));
    } catch (error) {
      if (!(error instanceof NotRepaired)) throw error;
      const [first] = error.problems;
      const errors = error.problems.map(({ code, path: where }) => ({ code, where }));
      sendProblem(reply, new PortolanError(first?.code ?? 'ingest.failed', first?.path ?? 'message'), { rejectId: id, errors });
    }
  }

  @Post('rejects/:id/discard')
  @HttpCode(200)
  async discard(
    @Headers() headers: CallHeaders,
    @Param('id') id: string,
    @Body() body: unknown,
  ): Promise<{ rejectId: string; state: Reject['state'] }> {
    const operator = await this.operator(headers);
    await this.rejects.discard(uuidOf(id), reasonOf(body), operator);
    return { rejectId: id, state: 'discarded' };
  }

  /** A message between the node's roles, in whichever outbox it is. The event is written first: where it cannot be, nothing is revived. */
  @Post('outbox/:id/revive')
  @HttpCode(200)
  async reviveOutbox(@Headers() headers: CallHeaders, @Param('id') id: string): Promise<{ revived: string }> {
    const operator = await this.operator(headers);
    const message = uuidOf(id);
    await this.recordRevival(operator, message);
    const { uow, link } = this.parts;
    const found =
      (await uow.run((tx) => tx.outbox.revive(message))) ||
      (await link.query<boolean>('exchange', 'outbox.revive', { id: message })) ||
      (await link.query<boolean>('notary', 'outbox.revive', { id: message }));
    return revived(message, found);
  }

  /** An envelope of a partner's by its number, or one to a partner by its id. */
  @Post('dead-letters/:id/revive')
  @HttpCode(200)
  async reviveLetter(@Headers() headers: CallHeaders, @Param('id') id: string): Promise<{ revived: string }> {
    const operator = await this.operator(headers);
    const isIncoming = /^\d{1,18}$/.test(id);
    if (!isIncoming && !isEnvelopeId(id)) throw new PortolanError('operator.id-invalid', 'dead-letters/:id');
    await this.recordRevival(operator, isIncoming ? `dead-letter-${id}` : id);
    const { link } = this.parts;
    return revived(
      id,
      isIncoming
        ? await link.query<boolean>('exchange', 'dead-letter.revive', { seq: id })
        : await link.query<boolean>('exchange', 'dead-envelope.revive', { id }),
    );
  }

  private recordRevival(operator: Principal, item: string): Promise<void> {
    return this.parts.uow.run((tx) => recordOperatorAct(tx, operator, { act: 'delivery-revived', items: [`Basic/${item}`] }, this.parts));
  }

  private async operator(headers: CallHeaders): Promise<Principal> {
    return (await authenticate(headers, ['operator'], this.parts)).principal;
  }
}

function revived(id: string, found: boolean): { revived: string } {
  if (!found) throw new PortolanError('operator.delivery-unknown', ':id');
  return { revived: id };
}

/** Envelope id and part: a UUID and a number. */
function isEnvelopeId(text: string): boolean {
  const [uuid = '', part = '', ...rest] = text.split('.');
  return isUuid(uuid) && /^[1-9]\d?$/.test(part) && rest.length === 0;
}

function stateOf(state: unknown): Reject['state'] {
  if (state === undefined) return 'open';
  if (state === 'open' || state === 'repaired' || state === 'discarded') return state;
  throw new PortolanError('operator.id-invalid', 'state');
}

/** Repaired bytes where there is a body; without one the original is replayed. */
function bytesOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (!(body instanceof Uint8Array)) throw new PortolanError('ingest.body-missing', 'replay');
  return body.length === 0 ? undefined : body;
}
