import { Body, Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import type { ErasureBody } from '@portolan/contracts';
import { instant, post, type EdgeTx, type PersonId, type Principal } from '@portolan/domain';
import { authenticate, type CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { recordLocalAct } from '../local-acts.js';
import { authority } from '../regulator/authority.js';
import { onlyPerson } from './herself.js';
import { bodyOf } from './request.js';

/**
 * Erasure (design, invariant 10): the person's keys are destroyed and her search rows removed, here at once and in the exchange by its
 * message. Rows, logs and channel stay, and verify; nobody can read what they hold.
 */
@Controller('operator/persons')
export class ErasureController {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  /** Throws `person.no-record`, also once it is done, and `person.several-records`. */
  @Post('erase')
  @HttpCode(200)
  async erase(@Headers() headers: CallHeaders, @Body() body: unknown): Promise<{ erased: true }> {
    const { uow, validators } = this.parts;
    const { principal } = await authenticate(headers, ['operator'], this.parts);
    const { identifier, reason } = bodyOf<ErasureBody>(validators, 'erasure-body', body);
    await uow.run(async (tx) => {
      const { id } = await onlyPerson(tx, identifier);
      // Whatever else is kept of her under entries that were joined is hers, too.
      for (const person of (await tx.persons.same(id)).toSorted()) await this.eraseEntry(tx, person, { principal, reason });
    });
    return { erased: true };
  }

  private async eraseEntry(tx: EdgeTx, person: PersonId, { principal, reason }: { principal: Principal; reason: string }): Promise<void> {
    const { random, clock, country } = this.parts;
    await tx.keys.erase(person);
    await tx.persons.erase(person);
    const act = { act: 'person-erased', recorded: instant(clock.now()), outcome: 'success', country: country.code } as const;
    // A key that is nobody's: what happened must stay readable.
    const keyId = await tx.keys.create();
    await recordLocalAct(tx, random, { ...act, actor: authority(principal, 'operator'), reason }, { person, keyId });
    await post(tx, { id: random.uuid(), type: 'person.erase', key: random.uuid(), keyId, body: { person } });
  }
}
