import { canonicalJson, PortolanError, type Actor, type ConsentContent, type RestrictionContent, type Uuid } from '@portolan/contracts';
import {
  instant,
  post,
  recordAct,
  type Act,
  type CallEvidence,
  type ExchangePorts,
  type ExchangeTx,
  type PermitRow,
  type Person,
  type PersonId,
  type RoleMessages,
} from '@portolan/domain';
import { base64url, bytesOfBase64url, commit, utf8 } from '@portolan/verify';

/**
 * What a person says about her record, as the exchange takes it: it verifies her token itself and looks itself whether the record is
 * hers, so that a stolen edge can grant nothing in her name.
 */
export class Grounds {
  constructor(private readonly ports: ExchangePorts) {}

  async give(tx: ExchangeTx, body: RoleMessages['consent.give'], id: Uuid): Promise<void> {
    const givenBy = await this.herself(body.person, body.evidence);
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
    const actor = await this.herself(body.person, body.evidence);
    const keyId = await tx.keys.forPerson(body.person);
    if (await this.end(tx, body.person, body.consentId, 'withdrawn', this.now()))
      await this.record(tx, 'consent-withdrawn', actor, body.person, keyId);
  }

  async restrict(tx: ExchangeTx, body: RoleMessages['restriction.set']): Promise<void> {
    const by = await this.herself(body.person, body.evidence);
    const at = this.now();
    const content: RestrictionContent = { ...body.content, by, at };
    this.ports.validators.check('restriction-content', content, 'ground.restriction-invalid', 'exchange/restriction');
    const keyId = await tx.keys.forPerson(body.person);
    await tx.grounds.putRestriction({ id: content.id, person: body.person, state: 'live', keyId, text: canonicalJson(content), at });
    await this.record(tx, 'restriction-set', by, body.person, keyId, content.categories);
    // A restriction ends whatever permit it touches, in the one way in which every permit ends.
    const touched = (permit: PermitRow): boolean =>
      (content.recipients.length === 0 || content.recipients.includes(permit.recipient)) &&
      (content.purposes.length === 0 || content.purposes.some((p) => p === permit.purpose));
    await this.endPermits(tx, body.person, touched);
  }

  async lift(tx: ExchangeTx, body: RoleMessages['restriction.lift']): Promise<void> {
    const actor = await this.herself(body.person, body.evidence);
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

  /** The person of a bearer token, by her own record; throws where the token is another's. */
  async herself(person: PersonId, evidence: CallEvidence): Promise<Actor> {
    const principal = await this.ports.tokens.verify(evidence.accessToken);
    const record = await this.ports.people.person(person);
    const identifier = principal.personIdentifier;
    if (principal.kind !== 'person' || identifier === undefined || !bears(record, identifier))
      throw new PortolanError('ground.not-hers', 'exchange/grounds');
    const name = principal.name ?? 'The person';
    return {
      kind: 'person',
      name,
      id: identifier,
      role: 'person',
      organisation: { id: { system: 'urn:portolan:self', value: 'self' }, name: 'The person herself' },
    };
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

const bears = (person: Person | undefined, identifier: { system: string; value: string }): boolean =>
  person?.identifiers.some(({ system, value }) => system === identifier.system && value === identifier.value) ?? false;

const omitSalt = ({ salt: _salt, ...content }: ConsentContent): Omit<ConsentContent, 'salt'> => content;
