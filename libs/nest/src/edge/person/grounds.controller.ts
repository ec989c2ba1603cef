import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { ConsentBody, RestrictionBody } from '@portolan/contracts';
import type { CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { PersonAccess } from './herself.js';
import { PersonGrounds, type StandingGrounds } from './person-grounds.js';
import { bodyOf, idOf } from './request.js';

/** What a person permits and forbids. Each is taken with 202: the exchange verifies her word itself before it stands. */
@Controller('person')
export class GroundsController {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(PersonAccess) private readonly access: PersonAccess,
    @Inject(PersonGrounds) private readonly grounds: PersonGrounds,
  ) {}

  @Get('grounds')
  async standing(@Headers() headers: CallHeaders): Promise<StandingGrounds> {
    return this.grounds.standing((await this.access.speaking(headers, 'read')).person.id);
  }

  @Post('consents')
  @HttpCode(202)
  async give(@Headers() headers: CallHeaders, @Body() body: unknown): Promise<{ consentId: string }> {
    const herself = await this.access.speaking(headers, 'consent-give');
    return { consentId: await this.grounds.give(herself, bodyOf<ConsentBody>(this.parts.validators, 'consent-body', body)) };
  }

  @Post('consents/:id/withdraw')
  @HttpCode(202)
  async withdraw(@Headers() headers: CallHeaders, @Param('id') id: string): Promise<{ consentId: string }> {
    const herself = await this.access.speaking(headers, 'consent-withdraw');
    await this.grounds.withdraw(herself, idOf(id, 'person.consent-unknown'));
    return { consentId: id };
  }

  @Post('restrictions')
  @HttpCode(202)
  async restrict(@Headers() headers: CallHeaders, @Body() body: unknown): Promise<{ restrictionId: string }> {
    const herself = await this.access.speaking(headers, 'restriction-set');
    const wanted = bodyOf<RestrictionBody>(this.parts.validators, 'restriction-body', body);
    return { restrictionId: await this.grounds.restrict(herself, wanted) };
  }

  @Post('restrictions/:id/lift')
  @HttpCode(202)
  async lift(@Headers() headers: CallHeaders, @Param('id') id: string): Promise<{ restrictionId: string }> {
    const herself = await this.access.speaking(headers, 'restriction-lift');
    await this.grounds.lift(herself, idOf(id, 'person.restriction-unknown'));
    return { restrictionId: id };
  }
}
