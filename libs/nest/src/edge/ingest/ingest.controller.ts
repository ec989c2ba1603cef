import { Body, Controller, Headers, Inject, Post, Res } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import { ackVerdict, instant } from '@portolan/domain';
import { authenticate, type CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { sendProblem, type Reply } from '../problem.filter.js';
import { acknowledgement } from './acknowledge.js';
import type { Accepted } from './incoming.js';
import { IngestService } from './ingest.service.js';

/**
 * Ingest over HTTP: one message a call, the body its exact bytes. HL7 v2 is answered with an acknowledgement, everything else with
 * JSON or a problem document; the status says the same as the body.
 */
@Controller('ingest')
export class IngestController {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(IngestService) private readonly ingest: IngestService,
  ) {}

  @Post()
  async post(@Headers() headers: CallHeaders, @Body() body: unknown, @Res() reply: Reply): Promise<void> {
    const { principal } = await authenticate(headers, ['system'], this.parts);
    if (!(body instanceof Uint8Array) || body.length === 0) throw new PortolanError('ingest.body-missing', 'POST /ingest');
    const accepted = await this.ingest.accept({ bytes: body, via: 'http', source: principal.clientId });
    const refused = accepted.answer.problems.find(({ severity }) => severity === 'document');
    const error = refused === undefined ? undefined : new PortolanError(refused.code, refused.path);
    if (accepted.head.format === 'hl7v2') this.acknowledge(accepted, error, reply);
    else if (error === undefined)
      reply
        .status(200)
        .header('content-type', 'application/json')
        .send(JSON.stringify(told(accepted)));
    else sendProblem(reply, error, { messageId: accepted.answer.messageId, errors: placesOf(accepted) });
  }

  private acknowledge({ answer, head }: Accepted, error: PortolanError | undefined, reply: Reply): void {
    const { clock, random } = this.parts;
    const sender = { now: () => instant(clock.now()), controlId: () => random.uuid().replaceAll('-', '').slice(0, 20) };
    const bytes = acknowledgement(head, ackVerdict(answer), sender);
    reply
      .status(error?.entry.http ?? 200)
      .header('content-type', 'application/hl7-v2')
      .header('portolan-message', answer.messageId)
      .send(Buffer.from(bytes));
  }
}

const placesOf = ({ answer }: Accepted): readonly { code: string; where: string }[] =>
  answer.problems.map(({ code, path }) => ({ code, where: path }));

const told = (accepted: Accepted): unknown => {
  const { messageId, state } = accepted.answer;
  return { messageId, state, format: accepted.head.format, warnings: placesOf(accepted) };
};
