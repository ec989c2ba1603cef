import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import type { PersonMerge } from '@portolan/domain';
import { authenticate, type CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { pageAfter, reasonOf, uuidOf } from './operator-inputs.js';
import { undoMerge } from './undo-merge.js';

const PAGE = 100;

/** What an operator sees of a joining: never who it was. */
export type MergeView = Pick<PersonMerge, 'id' | 'messageId' | 'at'> & { readonly state: 'stands' | 'undone'; readonly undoneAt?: string };

/** Persons whom a source joined (HL7 v2 A24, A34, A40, A43, A47), and how such a joining is undone where it was wrong. */
@Controller('operator/merges')
export class MergesController {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  /** Newest first, a hundred a page; `next` where there may be more. */
  @Get()
  async list(
    @Headers() headers: CallHeaders,
    @Query('after') after: unknown,
  ): Promise<{ merges: readonly MergeView[]; next?: string | undefined }> {
    await authenticate(headers, ['operator'], this.parts);
    const merges = await this.parts.uow.run((tx) => tx.persons.merges(pageAfter(after), PAGE));
    return { merges: merges.map(viewOf), ...(merges.length === PAGE && { next: merges.at(-1)?.id }) };
  }

  /** Throws `operator.merge-unknown`, `operator.merge-undone`, `operator.reason-missing`. */
  @Post(':id/undo')
  @HttpCode(200)
  async undo(@Headers() headers: CallHeaders, @Param('id') id: string, @Body() body: unknown): Promise<MergeView> {
    const { principal } = await authenticate(headers, ['operator'], this.parts);
    const [merge, reason] = [uuidOf(id), reasonOf(body)];
    await this.parts.uow.run((tx) => undoMerge(tx, merge, { principal, reason }, this.parts));
    const undone = await this.parts.uow.run((tx) => tx.persons.mergeOf(merge));
    if (undone === undefined) throw new PortolanError('operator.merge-unknown', ':id');
    return viewOf(undone);
  }
}

const viewOf = ({ id, messageId, at, undoneAt }: PersonMerge): MergeView => ({
  id,
  messageId,
  at,
  ...(undoneAt === undefined ? { state: 'stands' as const } : { state: 'undone' as const, undoneAt }),
});
