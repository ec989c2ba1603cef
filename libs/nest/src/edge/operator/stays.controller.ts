import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import { instant, type AskedStay } from '@portolan/domain';
import { authenticate, type CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { IngestService } from '../ingest/index.js';
import { recordLocalAct } from '../local-acts.js';
import { operatorActor } from './operator-acts.js';
import { pageAfter, reasonOf, uuidOf } from './operator-inputs.js';

const PAGE = 100;

/** What an operator sees of a stay that was left, never whose it is: who sent it, whose message moved its number, why it stayed, what to do. */
export interface StayView extends Omit<AskedStay, 'person' | 'stay' | 'state'> {
  readonly what: string;
  readonly next: string;
}

const ASK = 'Ask both organisations whose it is: the mover finds its message by the control id';

const TOLD: Readonly<Record<AskedStay['why'], Pick<StayView, 'what' | 'next'>>> = {
  'of-another': {
    what: 'Another organisation sent this stay, and the mover does not assign its number',
    next: `${ASK}. Then have the sender move it itself, or move or keep it here`,
  },
  entangled: {
    what: 'What belongs to this stay cannot be told from what else is of the person from whom its number was moved',
    next: `${ASK}. Then have the sender send each entry under the right person and take back the others, or keep it here`,
  },
  document: {
    what: 'This stay came in a document, which names its person itself',
    next: `${ASK}. Then have the sender send the document about the right person and its entries here removed, or keep it here`,
  },
};

/** Stays of others whose number was moved (HL7 v2 A45) and that stand where they stood, under a person whose they may not be. */
@Controller('operator/stays')
export class StaysController {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(IngestService) private readonly ingest: IngestService,
  ) {}

  /** Oldest first, a hundred a page; `next` where there may be more. */
  @Get()
  async list(
    @Headers() headers: CallHeaders,
    @Query('after') after: unknown,
  ): Promise<{ stays: readonly StayView[]; next?: string | undefined }> {
    await authenticate(headers, ['operator'], this.parts);
    const stays = await this.parts.uow.run((tx) => tx.stayMoves.asked(pageAfter(after), PAGE));
    return { stays: stays.map(viewOf), ...(stays.length === PAGE && { next: stays.at(-1)?.id }) };
  }

  /** It goes where its number was moved. Throws what `moveLeft` throws, and `operator.reason-missing`. */
  @Post(':id/move')
  @HttpCode(200)
  async move(@Headers() headers: CallHeaders, @Param('id') id: string, @Body() body: unknown): Promise<{ id: string; state: 'moved' }> {
    const { principal } = await authenticate(headers, ['operator'], this.parts);
    const [stay, reason] = [uuidOf(id), reasonOf(body)];
    await this.ingest.moveLeft(stay, { actor: operatorActor(principal, this.parts), reason });
    return { id: stay, state: 'moved' };
  }

  /** It is where it belongs. Throws `operator.stay-unknown`, `operator.stay-answered`, `operator.reason-missing`. */
  @Post(':id/keep')
  @HttpCode(200)
  async keep(@Headers() headers: CallHeaders, @Param('id') id: string, @Body() body: unknown): Promise<{ id: string; state: 'kept' }> {
    const { principal } = await authenticate(headers, ['operator'], this.parts);
    const [stay, reason] = [uuidOf(id), reasonOf(body)];
    const { uow, random, clock, country } = this.parts;
    await uow.run(async (tx) => {
      const left = await tx.stayMoves.left(stay);
      if (left === undefined) throw new PortolanError('operator.stay-unknown', ':id');
      if (!(await tx.stayMoves.answer(stay, 'kept'))) throw new PortolanError('operator.stay-answered', ':id');
      const who = { actor: operatorActor(principal, this.parts), country: country.code, reason };
      const act = { act: 'stay-kept', recorded: instant(clock.now()), outcome: 'success', ...who } as const;
      const about = { person: left.person, keyId: await tx.keys.forPerson(left.person) };
      await recordLocalAct(tx, random, { ...act, items: [`Encounter/${left.encounter}`] }, about);
    });
    return { id: stay, state: 'kept' };
  }
}

const viewOf = ({ id, encounter, custodian, why, at, messageId, source, controlId }: AskedStay): StayView => ({
  id,
  encounter,
  custodian,
  why,
  at,
  messageId,
  source,
  controlId,
  ...TOLD[why],
});
