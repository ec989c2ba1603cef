import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { reasonOf } from '../person/request.js';
import { Reconciliations, type ListedPair, type ListedPairs } from './reconciliations.js';

/** Entries that may repeat what the record held, for the staff of the organisation that brought them. */
@Controller('custodian/reconciliations')
export class ReconciliationsController {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(Reconciliations) private readonly pairs: Reconciliations,
  ) {}

  /** `patient`: id of her Patient; `state`: `open`, `same` or `different`; `after`: the `next` of the page before. */
  @Get()
  list(
    @Headers() headers: CallHeaders,
    @Query('patient') patient: unknown,
    @Query('state') state: unknown,
    @Query('after') after: unknown,
  ): Promise<ListedPairs> {
    return this.pairs.list(headers, { patient, state, after });
  }

  @Post(':id/same')
  @HttpCode(200)
  same(@Headers() headers: CallHeaders, @Param('id') id: string, @Body() body: unknown): Promise<ListedPair> {
    return this.pairs.judge(headers, id, 'same', reasonOf(this.parts.validators, body));
  }

  @Post(':id/different')
  @HttpCode(200)
  different(@Headers() headers: CallHeaders, @Param('id') id: string, @Body() body: unknown): Promise<ListedPair> {
    return this.pairs.judge(headers, id, 'different', reasonOf(this.parts.validators, body));
  }

  @Post(':id/open')
  @HttpCode(200)
  open(@Headers() headers: CallHeaders, @Param('id') id: string, @Body() body: unknown): Promise<ListedPair> {
    return this.pairs.open(headers, id, reasonOf(this.parts.validators, body));
  }
}
