import type { PersonId, EdgeTx, KeyId, AuditAct, Act, CountrySetting } from '@portolan/domain';
import { instant } from '@portolan/domain';
import type { EdgeParts } from '../edge.parts.js';
import { recordLocalAct } from '../local-acts.js';
import { demandPerson, type FhirCaller } from './fhir-caller.js';

/** What was touched of one person's record, or of something that names no person. */
interface Touched {
  readonly person: PersonId | undefined;
  readonly keyId: KeyId;
  readonly items: string[];
}

/** Gathers whose record one call touches, then writes one audit event a person: before the answer, in its transaction (invariant 6). */
export class Accesses {
  private readonly touched = new Map<string, Touched>();

  constructor(
    private readonly tx: EdgeTx,
    private readonly parts: EdgeParts,
    private readonly caller: FhirCaller,
  ) {}

  /** The person's record is searched, whether or not anything is found. */
  async person(person: PersonId, items: readonly string[] = []): Promise<void> {
    const known = this.touched.get(person) ?? { person, keyId: await this.tx.keys.forPerson(person), items: [] };
    known.items.push(...items);
    this.touched.set(person, known);
  }

  async resource({ type, id, person, keyId }: { type: string; id: string; person: PersonId | undefined; keyId: KeyId }): Promise<void> {
    if (person !== undefined) return this.person(person, [`${type}/${id}`]);
    const known = this.touched.get('') ?? { person: undefined, keyId, items: [] };
    known.items.push(`${type}/${id}`);
    this.touched.set('', known);
  }

  /** Throws `fhir.person-not-stated` where the professional's statement is bound to somebody else. */
  async record(act: 'record-read' | 'record-searched'): Promise<void> {
    for (const { person, keyId, items } of [...this.touched.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)) {
      if (person !== undefined) demandPerson(this.caller, (await this.tx.persons.get(person))?.identifiers ?? []);
      await recordLocalAct(this.tx, this.parts.random, actOf(act, this.caller, this.parts, { items }), { person, keyId });
    }
  }
}

/** An act of the calling professional, done now and here. */
export function actOf(
  act: AuditAct,
  { acting, purpose, form }: Pick<FhirCaller, 'acting' | 'purpose' | 'form'>,
  { country, clock }: { country: Pick<CountrySetting, 'code'>; clock: EdgeParts['clock'] },
  also: Partial<Act> = {},
): Act {
  return {
    act,
    recorded: instant(clock.now()),
    outcome: 'success',
    actor: acting.actor,
    country: country.code,
    purpose,
    ...(form !== undefined && { form }),
    ...also,
  };
}
