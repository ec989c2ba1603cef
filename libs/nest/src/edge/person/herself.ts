import { Inject, Injectable } from '@nestjs/common';
import { PortolanError, type Actor, type BusinessIdentifier } from '@portolan/contracts';
import { instant, type Act, type AuditAct, type EdgeTx, type Person } from '@portolan/domain';
import { authenticate, type CallHeaders, type Caller } from '../access.js';
import { EdgeParts } from '../edge.parts.js';

/** A person who is logged in, and her own record. */
export interface Herself extends Caller {
  readonly person: Person;
  /** As the audit trail and her feed name her. */
  readonly actor: Actor;
}

/** Finds the person of a call: whose login it is decides whose record; no address names a person. */
@Injectable()
export class PersonAccess {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  /** Throws what `authenticate` throws, `person.no-record` and `person.several-records`. */
  async herself(headers: CallHeaders): Promise<Herself> {
    const caller = await authenticate(headers, ['person'], this.parts);
    const { personIdentifier: id, name = 'The person' } = caller.principal;
    if (id === undefined) throw new PortolanError('access.token-invalid', 'access token', 'no person');
    const person = await this.parts.uow.run((tx) => onlyPerson(tx, id));
    const organisation = { id: { system: 'urn:portolan:self', value: 'self' }, name: 'The person herself' };
    return { ...caller, person, actor: { kind: 'person', name, id, role: 'person', organisation } };
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
