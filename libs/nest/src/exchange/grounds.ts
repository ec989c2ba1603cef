import { canonicalJson, PortolanError, type Actor, type ConsentContent, type RestrictionContent, type Uuid } from '@portolan/contracts';
import {
  instant,
  post,
  recordAct,
  speakerFor,
  speakingActor,
  wordBar,
  type Act,
  type CallEvidence,
  type ExchangePorts,
  type ExchangeTx,
  type PermitRow,
  type PersonId,
  type RoleMessages,
  type Saying,
} from '@portolan/domain';
import { base64url, bytesOfBase64url, commit, utf8 } from '@portolan/verify';
import { takeBack, tellJoined } from './amendments.js';

/**
 * What a person says about her record, as the exchange takes it: it verifies the token itself, looks itself whose record it is, and
 * decides itself whether the policy lets that word count: hers, or a proxy's. So a stolen edge can grant nothing in her name.
 */
export class Grounds {
  constructor(private readonly ports: ExchangePorts) {}

  async give(tx: ExchangeTx, body: RoleMessages['consent.give'], id: Uuid): Promise<void> {
    const givenBy = await this.speaker(body.person, body.evidence, 'consent-give');
    const at = this.now();
    const content: ConsentContent = { ...body.content, givenBy, givenAt: at, salt: base64url(this.ports.random.bytes(32)) };
    const { validators, sha256 } = this.ports;
    validators.check('consent-content', content, 'ground.consent-invalid', 'exchange/consent');
    const text = canonicalJson(content);
    const keyId = await tx.keys.forPerson(body.person);
    if (body.replaces !== undefined) await this.end(tx, body.person, body.replaces, 'replaced', at);
    await tx.grounds.putConsent({ id: content.id, version: content.version, person: body.person, state: 'live', keyId, text, at });
    const commitment = commit(bytesOfBase64url(content.salt), utf8(text), sha256);
    const args = { v: 1, id, custodian: this.ports.country.code, commitment };
    await post(tx, { id, type: 'act.anchor', key: content.id, keyId, body: { fn: 'put-consent', args } });
    await this.record(tx, 'consent-given', givenBy, body.person, keyId, content.categories);
  }

  async withdraw(tx: ExchangeTx, body: RoleMessages['consent.withdraw']): Promise<void> {
    const actor = await this.speaker(body.person, body.evidence, 'consent-withdraw');
    const keyId = await tx.keys.forPerson(body.person);
    if (await this.end(tx, body.person, body.consentId, 'withdrawn', this.now()))
      await this.record(tx, 'consent-withdrawn', actor, body.person, keyId);
  }

  async restrict(tx: ExchangeTx, body: RoleMessages['restriction.set']): Promise<void> {
    const by = await this.speaker(body.person, body.evidence, 'restriction-set');
    const at = this.now();
    const content: RestrictionContent = { ...body.content, by, at };
    this.ports.validators.check('restriction-content', content, 'ground.restriction-invalid', 'exchange/restriction');
    const keyId = await tx.keys.forPerson(body.person);
    await tx.grounds.putRestriction({ id: content.id, person: body.person, state: 'live', keyId, text: canonicalJson(content), at });
    await this.record(tx, 'restriction-set', by, body.person, keyId, content.categories);
    // A restriction ends whatever permit it touches, in the one way in which every permit ends.
    await this.endPermits(tx, body.person, (permit) => touches(content, permit));
  }

  /** Two entries are one person: what she forbade under either ends the permits of both, and who was shown the half is told. */
  async joined(tx: ExchangeTx, { survivor }: RoleMessages['person.joined']): Promise<void> {
    const live = (await tx.grounds.restrictions(survivor)).filter(({ state }) => state === 'live');
    const contents = live.map(({ text }) => JSON.parse(text) as RestrictionContent);
    await this.endPermits(tx, survivor, (permit) => contents.some((content) => touches(content, permit)));
    await tellJoined(tx, survivor, this.ports);
  }

  /** They were not: each receiver of what was the other's is told, and every permit ends; whoever needs one asks anew. */
  async parted(tx: ExchangeTx, body: RoleMessages['person.parted']): Promise<void> {
    await takeBack(tx, body, this.ports);
    for (const person of [body.survivor, body.prior]) await this.endPermits(tx, person, () => true);
  }

  async lift(tx: ExchangeTx, body: RoleMessages['restriction.lift']): Promise<void> {
    const actor = await this.speaker(body.person, body.evidence, 'restriction-lift');
    const keyId = await tx.keys.forPerson(body.person);
    const mine = (await tx.grounds.restrictions(body.person)).some((restriction) => restriction.id === body.restrictionId);
    if (mine && (await tx.grounds.liftRestriction(body.restrictionId, this.now())))
      await this.record(tx, 'restriction-lifted', actor, body.person, keyId);
  }

  /** What stands for a person: for her own screen and the operator's. */
  async of(person: PersonId): Promise<{ consents: unknown[]; restrictions: unknown[]; permits: unknown[] }> {
    return this.ports.uow.run(async (tx) => ({
      consents: (await tx.grounds.consents(person)).map(({ state, text }) => ({ state, ...omitSalt(JSON.parse(text) as ConsentContent) })),
      restrictions: (await tx.grounds.restrictions(person)).map(({ state, text }) => ({
        state,
        ...(JSON.parse(text) as RestrictionContent),
      })),
      permits: (await tx.permits.ofPerson(person)).map(({ id, recipient, purpose, until, state, transferId }) => ({
        id,
        recipient,
        purpose,
        until,
        state,
        transferId,
      })),
    }));
  }

  /** Who says it of her record, by a bearer token and our own look at the record; throws where the policy does not let that word count. */
  private async speaker(person: PersonId, evidence: CallEvidence, saying: Saying): Promise<Actor> {
    const principal = await this.ports.tokens.verify(evidence.accessToken);
    const record = await this.ports.people.person(person);
    const speaker = record === undefined ? undefined : speakerFor(principal, record);
    if (record === undefined || speaker === undefined) throw new PortolanError('ground.not-hers', 'exchange/grounds');
    const { policy } = this.ports.country;
    const bar = wordBar({ speaker, saying, birthDate: record.birthDate, policy, now: this.ports.clock.now() });
    if (bar !== undefined) throw new PortolanError(bar, 'exchange/grounds');
    return speakingActor(principal, speaker);
  }

  private async end(tx: ExchangeTx, person: PersonId, consentId: Uuid, state: 'withdrawn' | 'replaced', at: string): Promise<boolean> {
    const mine = (await tx.grounds.consents(person)).some((consent) => consent.id === consentId);
    if (!mine || !(await tx.grounds.endConsent(consentId, state, at))) return false;
    await this.endPermits(tx, person, (permit) => permit.consentId === consentId);
    return true;
  }

  /** Erasure: every permit ends, so that what stands abroad is destroyed too; then nothing of hers can be read here any more. */
  async erase(tx: ExchangeTx, person: PersonId): Promise<void> {
    await this.endPermits(tx, person, () => true);
    await tx.keys.erase(person);
  }

  private async endPermits(tx: ExchangeTx, person: PersonId, which: (permit: PermitRow) => boolean): Promise<void> {
    for (const permit of (await tx.permits.ofPerson(person)).filter((one) => one.state !== 'ended' && which(one))) {
      await tx.permits.mark(permit.id, 'ended');
      const body = { fn: 'end-permit', args: { v: 1, permitId: permit.id } };
      // Under a key of its own: the end must reach the channel also where the person is erased on the way.
      const keyId = await tx.keys.create();
      await post(tx, { id: this.ports.random.uuid(), type: 'act.anchor', key: permit.id, keyId, body });
    }
  }

  private async record(
    tx: ExchangeTx,
    act: Act['act'],
    actor: Actor,
    person: PersonId,
    keyId: Uuid,
    categories?: readonly string[],
  ): Promise<void> {
    const facts: Act = {
      act,
      recorded: this.now(),
      outcome: 'success',
      actor,
      country: this.ports.country.code,
      ...(categories === undefined ? {} : { categories }),
    };
    await recordAct(tx, this.ports.random, facts, { person, keyId });
  }

  private now(): string {
    return instant(this.ports.clock.now());
  }
}

const touches = ({ recipients, purposes }: RestrictionContent, { recipient, purpose }: PermitRow): boolean =>
  (recipients.length === 0 || recipients.includes(recipient)) && (purposes.length === 0 || purposes.some((one) => one === purpose));

const omitSalt = ({ salt: _salt, ...content }: ConsentContent): Omit<ConsentContent, 'salt'> => content;
