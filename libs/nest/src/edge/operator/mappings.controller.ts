import { Body, Controller, Get, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { instant, type MappingAnswer, type OpenQuestion } from '@portolan/domain';
import { PortolanError } from '@portolan/contracts';
import { authenticate, type CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { AnsweredPack, IngestService } from '../ingest/index.js';
import { answerOf } from './mapping-answer.js';
import { recordOperatorAct } from './operator-acts.js';

const PAGE = 500;
/** Messages that one call translates again. */
const BATCH = 20;

/** Codes that no concept map knows and whose binding asks a person (`unmapped: queue`), and the answers. No row names a person. */
@Controller('operator/mappings')
export class MappingsController {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(AnsweredPack) private readonly answered: AnsweredPack,
    @Inject(IngestService) private readonly ingest: IngestService,
  ) {}

  /** The longest waiting first, five hundred at most: what is answered leaves the list. */
  @Get()
  async list(@Headers() headers: CallHeaders): Promise<{ questions: readonly OpenQuestion[] }> {
    await authenticate(headers, ['operator'], this.parts);
    return { questions: await this.parts.uow.run(({ mappings }) => mappings.open(PAGE)) };
  }

  /** Answers one, or answers it anew. In force here at once. Throws `operator.mapping-invalid`, `operator.mapping-unknown`. */
  @Post('answer')
  @HttpCode(200)
  async answer(@Headers() headers: CallHeaders, @Body() body: unknown): Promise<MappingAnswer> {
    const { principal } = await authenticate(headers, ['operator'], this.parts);
    const answer = answerOf(body, this.parts.pack);
    await this.parts.uow.run(async (tx) => {
      if (!(await tx.mappings.answer(answer, instant(this.parts.clock.now()))))
        throw new PortolanError('operator.mapping-unknown', answer.map);
      await recordOperatorAct(tx, principal, { act: 'mapping-answered', items: [`ConceptMap/${answer.map}`] }, this.parts);
    });
    await this.answered.look();
    return answer;
  }

  /** Translates some of the messages again that met what is answered since; `left` says whether there are more. */
  @Post('translate-again')
  @HttpCode(200)
  async translateAgain(@Headers() headers: CallHeaders): Promise<{ translated: number; refused: number; left: boolean }> {
    await authenticate(headers, ['operator'], this.parts);
    const waiting = await this.parts.uow.run(({ mappings }) => mappings.waiting(BATCH + 1));
    let [translated, refused] = [0, 0];
    for (const id of waiting.slice(0, BATCH)) {
      if (await this.ingest.translateAgain(id)) translated += 1;
      else refused += 1;
    }
    return { translated, refused, left: waiting.length > BATCH };
  }
}
