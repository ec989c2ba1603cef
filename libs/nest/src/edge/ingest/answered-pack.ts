import { Inject, Injectable } from '@nestjs/common';
import type { Instant } from '@portolan/contracts';
import type { MappingAnswer } from '@portolan/domain';
import { answeredPack, type CountryPack } from '@portolan/formats';
import { EdgeParts } from '../edge.parts.js';

/** For so long another copy's answers may not be in force here yet. */
const FRESH_MS = 5_000;

/** A country's pack with the answers given until an instant. */
export interface PackInForce {
  readonly pack: CountryPack;
  readonly answeredAt: Instant | undefined;
}

/** The country's rules with what people have answered to their questions: read again where somebody answered since. */
@Injectable()
export class AnsweredPack {
  private held: PackInForce;
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {
    this.held = { pack: parts.pack, answeredAt: undefined };
  }

  async inForce(): Promise<PackInForce> {
    return this.parts.clock.now() - this.lookedAt < FRESH_MS ? this.held : this.look();
  }

  /** As `inForce`, but never older than this call. */
  async look(): Promise<PackInForce> {
    const now = this.parts.clock.now();
    const answers = await this.parts.uow.run(async ({ mappings }) => {
      const answeredAt = await mappings.answeredAt();
      return answeredAt === this.held.answeredAt ? undefined : { answeredAt, all: await mappings.answers() };
    });
    if (answers !== undefined)
      this.held = { pack: answeredPack(this.parts.pack, conceptMapsOf(answers.all)), answeredAt: answers.answeredAt };
    this.lookedAt = now;
    return this.held;
  }
}

/** The answers as FHIR R4 ConceptMaps, one for each map that they belong in; a group for each pair of systems. */
export function conceptMapsOf(answers: readonly MappingAnswer[]): readonly object[] {
  return [...Map.groupBy(answers, ({ map }) => map)].map(([id, ofMap]) => ({
    resourceType: 'ConceptMap',
    id,
    group: [...Map.groupBy(ofMap, ({ system, target }) => JSON.stringify([system, target.system])).values()].map((ofGroup) => ({
      ...(ofGroup[0]?.system !== undefined && { source: ofGroup[0].system }),
      ...(ofGroup[0]?.target.system !== undefined && { target: ofGroup[0].target.system }),
      element: ofGroup.map(({ code, target: { system: _system, ...target } }) => ({ code, target: [target] })),
    })),
  }));
}
