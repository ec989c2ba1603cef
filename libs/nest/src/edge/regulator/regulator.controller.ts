import { Controller, Get, Header, Headers, Inject, Param, Query } from '@nestjs/common';
import type { CallHeaders } from '../access.js';
import { RegulatorQueries, type TrailAnswer } from './regulator-queries.js';

/** The trail over all countries and its proofs, for whoever supervises; no person, no organisation, no data category stands in it. */
@Controller('regulator')
export class RegulatorController {
  constructor(@Inject(RegulatorQueries) private readonly queries: RegulatorQueries) {}

  @Get('trail')
  trail(@Headers() headers: CallHeaders, @Query() query: unknown): Promise<TrailAnswer> {
    return this.queries.trail(headers, query);
  }

  @Get('receipts/:transferId')
  @Header('content-type', 'application/json; charset=utf-8')
  receipt(@Headers() headers: CallHeaders, @Param('transferId') id: string, @Query('step') step: unknown): Promise<string> {
    return this.queries.receipt(headers, id, step ?? 'released');
  }

  @Get('trust')
  trust(@Headers() headers: CallHeaders): Promise<unknown> {
    return this.queries.trust(headers);
  }

  @Get('ledger')
  ledger(@Headers() headers: CallHeaders): Promise<unknown> {
    return this.queries.ledger(headers);
  }

  @Get('events/:eventId/proof')
  proof(@Headers() headers: CallHeaders, @Param('eventId') id: string): Promise<unknown> {
    return this.queries.eventProof(headers, id);
  }
}
