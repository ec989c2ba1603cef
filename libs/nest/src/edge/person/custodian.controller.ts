import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { Custody, type CustodianAnswer, type CustodianProposal, type WaitingProposals } from './custody.js';
import { reasonOf } from './request.js';

/** Proposed changes, for the custodian of the entry: a professional acts, for the organisation that created it. */
@Controller('custodian/proposals')
export class CustodianController {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(Custody) private readonly custody: Custody,
  ) {}

  /** `after`: the `next` of the page before. */
  @Get()
  waiting(@Headers() headers: CallHeaders, @Query('after') after: unknown): Promise<WaitingProposals> {
    return this.custody.waiting(headers, after);
  }

  @Get(':id')
  show(@Headers() headers: CallHeaders, @Param('id') id: string): Promise<CustodianProposal> {
    return this.custody.show(headers, id);
  }

  @Post(':id/accept')
  @HttpCode(200)
  accept(@Headers() headers: CallHeaders, @Param('id') id: string, @Body() body: unknown): Promise<CustodianAnswer> {
    return this.custody.accept(headers, id, reasonOf(this.parts.validators, body));
  }

  @Post(':id/decline')
  @HttpCode(200)
  decline(@Headers() headers: CallHeaders, @Param('id') id: string, @Body() body: unknown): Promise<CustodianAnswer> {
    return this.custody.decline(headers, id, reasonOf(this.parts.validators, body));
  }
}
