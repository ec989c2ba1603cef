import { Body, Controller, Headers, Inject, Post, Res } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import { ackVerdict, instant } from '@portolan/domain';
import { isBatch, readBatch, readExtract, type BatchItem } from '@portolan/formats';
import { authenticate, type CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { BODY_LIMIT } from '../http-adapter.js';
import { sendProblem, type Reply } from '../problem.filter.js';
import { acknowledgement } from './acknowledge.js';
import type { Accepted } from './incoming.js';
import { IngestService } from './ingest.service.js';

/**
 * Ingest over HTTP: one message a call, the body its exact bytes. HL7 v2 is answered with an acknowledgement, everything else with
 * JSON or a problem document; the status says the same as the body. A batch file of HL7 v2 is taken apart, and answered with a list.
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
    const items = this.itemsOf(body);
    if (items !== undefined) return this.batch(items, principal.clientId, reply);
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

  /** The messages of a batch file, or the documents of a CSV extract that the country declares; undefined for one message. */
  private itemsOf(body: Uint8Array): BatchItem[] | undefined {
    return isBatch(body) ? readBatch(body, BATCH_LIMITS) : readExtract(body, this.parts.pack.extracts ?? [], BATCH_LIMITS);
  }

  /**
   * HL7 v2 §2.10.3: each message is taken over by itself, as if it had come alone, and its place says which it is. The status is 200 as of a batch in
   * FHIR, whatever becomes of one of them. Where nothing can be stored just now the whole call fails: sent again, what stands already is known by its id.
   */
  private async batch(items: readonly BatchItem[], source: string, reply: Reply): Promise<void> {
    const entries: BatchEntry[] = [];
    for (const item of items) {
      if (item.kind === 'problem')
        entries.push({ place: item.place, state: 'rejected', problems: [{ code: item.code, where: item.place }] });
      else entries.push(entryOf(item.place, await this.ingest.accept({ bytes: item.bytes, via: 'http', source })));
    }
    const messages = entries.filter(({ messageId }) => messageId !== undefined);
    const refused = messages.filter(({ state }) => state === 'rejected').length;
    reply
      .status(200)
      .header('content-type', 'application/json')
      .send(JSON.stringify({ messages: messages.length, refused, entries }));
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

/** No message of a body is longer than a body may be. */
const BATCH_LIMITS = { maxMessages: 10_000, maxBytes: BODY_LIMIT };

const placesOf = ({ answer }: Accepted): readonly { code: string; where: string }[] =>
  answer.problems.map(({ code, path }) => ({ code, where: path }));

/** What stands in the place of one message of a batch. */
interface BatchEntry {
  readonly place: string;
  readonly state: string;
  readonly messageId?: string;
  readonly problems: readonly { code: string; where: string }[];
}

const entryOf = (place: string, accepted: Accepted): BatchEntry => ({
  place,
  state: accepted.answer.state,
  messageId: accepted.answer.messageId,
  problems: placesOf(accepted),
});

const told = (accepted: Accepted): unknown => {
  const { messageId, state } = accepted.answer;
  return { messageId, state, format: accepted.head.format, warnings: placesOf(accepted) };
};
