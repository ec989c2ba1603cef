import { Inject, Injectable } from '@nestjs/common';
import {
  PortolanError,
  type ConsentBody,
  type ConsentContent,
  type CountryCode,
  type RestrictionBody,
  type RestrictionContent,
} from '@portolan/contracts';
import { post, type PersonId, type RoleMessages, type RoleMessageType } from '@portolan/domain';
import { setTimeout as pause } from 'node:timers/promises';
import { EdgeParts } from '../edge.parts.js';
import type { Herself } from './herself.js';

/** What stands for a person, as the exchange tells it: permissions, restrictions, and the permits that came of them. */
export interface StandingGrounds {
  readonly consents: readonly (Omit<ConsentContent, 'salt'> & { state: 'live' | 'withdrawn' | 'replaced' })[];
  readonly restrictions: readonly (RestrictionContent & { state: 'live' | 'lifted' })[];
  readonly permits: readonly unknown[];
}

/** How long an id that the exchange does not know yet may still be on its way to it: the call that gave it answered 202. */
const PATIENCE_MS = 2_000;
const LOOK_MS = 100;

/**
 * Takes a person's word and passes it to the exchange with her own token as its proof: the edge can grant nothing in her name. What is
 * said of one ground is delivered in the order in which it was said.
 */
@Injectable()
export class PersonGrounds {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  standing(person: PersonId): Promise<StandingGrounds> {
    return this.parts.link.query<StandingGrounds>('exchange', 'grounds.of', { person });
  }

  /** Answers with the permission's id. Throws `person.until-past`, `person.country-unknown`, `person.consent-unknown`. */
  async give(herself: Herself, { replaces, ...wanted }: ConsentBody): Promise<string> {
    this.demandPartners(wanted.recipients);
    this.demandDates(wanted);
    const earlier = replaces === undefined ? undefined : await this.liveConsent(herself.person.id, replaces);
    const id = this.parts.random.uuid();
    const content = { v: 1, id, version: (earlier?.version ?? 0) + 1, custodian: this.parts.country.code, ...wanted } as const;
    await this.tell(herself, 'consent.give', id, { content, ...(replaces === undefined ? {} : { replaces }) });
    return id;
  }

  /** A permission that ended already stays ended, and nothing is sent. Throws `person.consent-unknown`. */
  async withdraw(herself: Herself, consentId: string): Promise<void> {
    const consent = await this.own(herself.person.id, 'consents', consentId);
    if (consent === undefined) throw new PortolanError('person.consent-unknown', 'the address');
    if (consent.state === 'live') await this.tell(herself, 'consent.withdraw', consentId, { consentId });
  }

  /** Answers with the restriction's id. Throws `person.country-unknown`, `person.body-invalid`. */
  async restrict(herself: Herself, { kind, recipients = [], purposes = [], categories = [] }: RestrictionBody): Promise<string> {
    this.demandPartners(recipients);
    if (kind === 'opt-out' && categories.length > 0)
      throw new PortolanError('person.body-invalid', 'body restriction-body', '/categories an opt-out covers them all');
    const id = this.parts.random.uuid();
    await this.tell(herself, 'restriction.set', id, { content: { v: 1, id, kind, recipients, purposes, categories } });
    return id;
  }

  /** Throws `person.restriction-unknown`. */
  async lift(herself: Herself, restrictionId: string): Promise<void> {
    const restriction = await this.own(herself.person.id, 'restrictions', restrictionId);
    if (restriction === undefined) throw new PortolanError('person.restriction-unknown', 'the address');
    if (restriction.state === 'live') await this.tell(herself, 'restriction.lift', restrictionId, { restrictionId });
  }

  private async liveConsent(person: PersonId, id: string): Promise<StandingGrounds['consents'][number]> {
    const consent = await this.own(person, 'consents', id);
    if (consent?.state !== 'live') throw new PortolanError('person.consent-unknown', 'body consent-body', '/replaces');
    return consent;
  }

  /** A ground of this person; another's id is as unknown as one that nobody has. */
  private async own<List extends 'consents' | 'restrictions'>(
    person: PersonId,
    list: List,
    id: string,
  ): Promise<StandingGrounds[List][number] | undefined> {
    const end = this.parts.clock.now() + PATIENCE_MS;
    for (;;) {
      const grounds: readonly { readonly id: string }[] = (await this.standing(person))[list];
      const found = grounds.find((one) => one.id === id);
      if (found !== undefined || this.parts.clock.now() >= end) return found as StandingGrounds[List][number] | undefined;
      await pause(LOOK_MS);
    }
  }

  private demandPartners(countries: readonly CountryCode[]): void {
    const stranger = countries.find((country) => !this.parts.partners.includes(country));
    if (stranger !== undefined) throw new PortolanError('person.country-unknown', '/recipients', stranger);
  }

  private demandDates({ since, until }: Pick<ConsentBody, 'since' | 'until'>): void {
    const end = Date.parse(until);
    if (Number.isNaN(end) || new Date(end).toISOString() !== until) throw invalid('/until is no date');
    if (end <= this.parts.clock.now()) throw new PortolanError('person.until-past', '/until');
    if (since === undefined) return;
    const begin = Date.parse(since);
    if (Number.isNaN(begin) || !new Date(begin).toISOString().startsWith(since)) throw invalid('/since is no date');
    if (begin > end) throw invalid('/since lies behind /until');
  }

  private async tell<Type extends Told>(
    { person: { id: person }, evidence }: Herself,
    type: Type,
    key: string,
    said: Omit<RoleMessages[Type], 'person' | 'evidence'>,
  ): Promise<void> {
    await this.parts.uow.run(async (tx) => {
      const body = { ...said, person, evidence } as unknown as RoleMessages[Type];
      await post(tx, { id: this.parts.random.uuid(), type, key, keyId: await tx.keys.forPerson(person), body });
    });
  }
}

type Told = Extract<RoleMessageType, `consent.${string}` | `restriction.${string}`>;

const invalid = (detail: string): PortolanError => new PortolanError('person.body-invalid', 'body consent-body', detail);
