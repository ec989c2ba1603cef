import { Inject, Injectable } from '@nestjs/common';
import { PortolanError, type Actor, type BusinessIdentifier } from '@portolan/contracts';
import {
  instant,
  speakerFor,
  speakingActor,
  wordBar,
  type Act,
  type AuditAct,
  type EdgeTx,
  type Person,
  type Saying,
  type Speaker,
} from '@portolan/domain';
import { authenticate, type CallHeaders, type Caller } from '../access.js';
import { EdgeParts } from '../edge.parts.js';

/** Header by which a proxy says for whom she speaks: `system|value` of that person's identifier. It stands in no address, and so in no log. */
export const FOR_HEADER = 'portolan-for';
const MAX_FOR_CHARS = 400;

/** A person who is logged in, and her own record; or the record of somebody for whom she speaks. */
export interface Herself extends Caller {
  readonly person: Person;
  /** As the audit trail and her feed name her. */
  readonly actor: Actor;
}

/** Finds the person of a call: whose login it is decides whose record; no address names a person. */
@Injectable()
export class PersonAccess {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  /**
   * For what is the person's own alone. Throws what `authenticate` throws, `person.no-record` and `person.several-records`, and
   * `ground.not-represented` where the call is made for somebody else.
   */
  async herself(headers: CallHeaders): Promise<Herself> {
    if (headers[FOR_HEADER] !== undefined) throw new PortolanError('ground.not-represented', `header ${FOR_HEADER}`);
    return this.of(headers, await authenticate(headers, ['person'], this.parts));
  }

  /** For what a proxy may do too: the person, or whoever speaks for her, where the policy lets this word count. Throws `ground.*`, too. */
  async speaking(headers: CallHeaders, saying: Saying): Promise<Herself> {
    const spoken = await this.of(headers, await authenticate(headers, ['person'], this.parts));
    const { clock, country } = this.parts;
    const { speaker, person } = spoken;
    const bar = wordBar({ speaker, saying, birthDate: person.birthDate, policy: country.policy, now: clock.now() });
    if (bar !== undefined) throw new PortolanError(bar, 'edge/person');
    return spoken;
  }

  private async of(headers: CallHeaders, caller: Caller): Promise<Herself & { readonly speaker: Speaker }> {
    const { principal } = caller;
    const id = spokenFor(headers) ?? principal.personIdentifier;
    if (id === undefined) throw new PortolanError('access.token-invalid', 'access token', 'no person');
    // Before anything is looked up: who speaks for nobody learns nothing of anybody.
    const speaker = speakerFor(principal, { identifiers: [id] });
    if (speaker === undefined) throw new PortolanError('ground.not-represented', `header ${FOR_HEADER}`);
    const person = await this.parts.uow.run((tx) => onlyPerson(tx, id));
    return { ...caller, person, speaker, actor: speakingActor(principal, speaker) };
  }

  /** An act of hers, done now and here. */
  act(act: AuditAct, { actor }: Pick<Herself, 'actor'>, also: Partial<Act> = {}): Act {
    const { clock, country } = this.parts;
    return { act, recorded: instant(clock.now()), outcome: 'success', actor, country: country.code, ...also };
  }
}

/** The one record under an identifier. Throws `person.no-record`, and `person.several-records` rather than choose. */
export async function onlyPerson(tx: EdgeTx, identifier: BusinessIdentifier): Promise<Person> {
  const [person, ...others] = await tx.persons.byIdentifier(identifier);
  if (person === undefined) throw new PortolanError('person.no-record', 'edge/person');
  if (others.length > 0) throw new PortolanError('person.several-records', 'edge/person');
  return person;
}

function spokenFor(headers: CallHeaders): BusinessIdentifier | undefined {
  const text = headers[FOR_HEADER];
  if (text === undefined) return undefined;
  const at = typeof text === 'string' && text.length <= MAX_FOR_CHARS ? text.indexOf('|') : -1;
  if (typeof text !== 'string' || at < 1 || at === text.length - 1)
    throw new PortolanError('ground.not-represented', `header ${FOR_HEADER}`);
  return { system: text.slice(0, at), value: text.slice(at + 1) };
}
