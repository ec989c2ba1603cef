import { Body, Controller, Get, Header, Headers, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import type { DisputeBody } from '@portolan/contracts';
import type { FeedBody } from '@portolan/domain';
import type { CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { Disputes, type Disputed } from './disputes.js';
import type { StreamReply } from './event-stream.js';
import { FeedStreams } from './feed-streams.js';
import { PersonAccess } from './herself.js';
import { Proposals, type ShownProposal } from './proposals.js';
import { RecordExport } from './record-export.js';
import { bodyOf, feedPlace, idOf } from './request.js';

/** What a person reads and says of her record. Her own look at who used it is no use of it, and is not recorded; taking it along is. */
@Controller('person')
export class PersonController {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(PersonAccess) private readonly access: PersonAccess,
    @Inject(FeedStreams) private readonly streams: FeedStreams,
    @Inject(Proposals) private readonly proposals: Proposals,
    @Inject(Disputes) private readonly disputes: Disputes,
    @Inject(RecordExport) private readonly records: RecordExport,
  ) {}

  @Get('me')
  async me(@Headers() headers: CallHeaders): Promise<unknown> {
    const { person, actor } = await this.access.speaking(headers, 'read');
    const { identifiers, birthDate, family, given } = person;
    return { name: actor.name, country: this.parts.country.code, identifiers, birthDate, family, given };
  }

  /** Her feed from `after` on, oldest first; `next` is the place to go on from. */
  @Get('feed')
  async feed(
    @Headers() headers: CallHeaders,
    @Query('after') from: unknown,
    @Query('limit') count: unknown,
  ): Promise<{ entries: readonly unknown[]; next: string }> {
    const { person } = await this.access.speaking(headers, 'read');
    const { after, limit } = feedPlace(from, count);
    const entries = await this.parts.uow.alone((tx) => tx.feed.after(person.id, after, limit));
    // An entry whose key was destroyed has no body any more.
    const shown = entries.filter(({ body }) => body !== undefined).map(({ seq, body }) => ({ seq, ...(body as FeedBody) }));
    return { entries: shown, next: entries.at(-1)?.seq ?? after };
  }

  /** The same as server-sent events (HTML Living Standard, section 9.2): what there is after `Last-Event-ID`, then each as it happens. */
  @Get('events')
  async events(@Headers() headers: CallHeaders, @Query('after') from: unknown, @Res() reply: StreamReply): Promise<void> {
    const herself = await this.access.herself(headers);
    const { after } = feedPlace(headers['last-event-id'] ?? from, undefined);
    await this.streams.open(herself, after, reply);
  }

  /** Her whole record as one FHIR R4 Bundle (`collection`), to take along. */
  @Get('record/export')
  @Header('content-type', 'application/fhir+json; charset=utf-8')
  @Header('content-disposition', 'attachment; filename="record.fhir.json"')
  async export(@Headers() headers: CallHeaders): Promise<string> {
    return this.records.bundle(await this.access.herself(headers));
  }

  @Post('disputes')
  async dispute(@Headers() headers: CallHeaders, @Body() body: unknown): Promise<Disputed> {
    const herself = await this.access.herself(headers);
    return this.disputes.file(herself, bodyOf<DisputeBody>(this.parts.validators, 'dispute-body', body));
  }

  @Get('proposals')
  async proposed(@Headers() headers: CallHeaders): Promise<{ proposals: readonly ShownProposal[] }> {
    return { proposals: await this.proposals.of(await this.access.speaking(headers, 'read')) };
  }

  @Post('proposals/:id/permit')
  @HttpCode(200)
  async permit(@Headers() headers: CallHeaders, @Param('id') id: string): Promise<{ state: string }> {
    return this.proposals.answer(await this.access.herself(headers), idOf(id, 'person.proposal-unknown'), 'permitted');
  }

  @Post('proposals/:id/decline')
  @HttpCode(200)
  async decline(@Headers() headers: CallHeaders, @Param('id') id: string): Promise<{ state: string }> {
    return this.proposals.answer(await this.access.herself(headers), idOf(id, 'person.proposal-unknown'), 'declined');
  }
}
