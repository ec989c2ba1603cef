import { Inject, Injectable } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import { isUuid, linkageOf, spendStatement, type EdgeTx, type PersonId, type Reconciliation } from '@portolan/domain';
import type { CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { Accesses, actOf } from '../fhir/accesses.js';
import { demandOrganisation } from '../fhir/calling-organisation.js';
import { fileEntry, fileProvenance } from '../fhir/entries.js';
import { actingCaller, demandPerson, isStated, mayAct, type FhirCaller } from '../fhir/fhir-caller.js';
import { localPerson } from '../fhir/patient-links.js';
import { recordLocalAct } from '../local-acts.js';
import { organisationKey } from '../person/proposed-entry.js';
import { placeAfter } from '../person/request.js';
import { judgeAgain, stillSame } from './proposals.js';

/** A pair as it is listed: which entries, and nothing of what stands in them, which is read at the FHIR API under the rights that hold there. */
export interface ListedPair {
  readonly id: string;
  readonly at: string;
  readonly state: Reconciliation['state'];
  /** `Type/id`. */
  readonly known: string;
  readonly come: string;
}

export interface ListedPairs {
  readonly reconciliations: readonly ListedPair[];
  /** Where to go on; absent after the last. */
  readonly next?: string;
}

/** What a call asks to be listed, as it came. */
export interface Listing {
  /** Id of her Patient resource; all persons where it is left out. */
  readonly patient: unknown;
  readonly state: unknown;
  readonly after: unknown;
}

export type Judgement = 'same' | 'different';

/** Pairs in one answer. */
const PAGE = 50;

/** How the person reads what was decided, before the reason. */
const SAID = { same: 'judged to say the same', different: 'judged to be two', open: 'the judgement was taken back' } as const;

/**
 * Entries that came from abroad and may repeat what the record held: the staff of the organisation that brought them judges, since it is its entry
 * that is left out of what is shown. Nothing is merged: a Linkage beside the two says what was judged, its Provenance by whom and why, and the
 * judgement can be taken back.
 */
@Injectable()
export class Reconciliations {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  /**
   * Oldest first. Each person concerned is told of the look; a pair of a person, or of a kind of entry, that this caller may not see is not there.
   * Throws `person.not-custodian`, `person.place-invalid`, `reconciliation.state-invalid`, `fhir.not-found`.
   */
  async list(headers: CallHeaders, listing: Listing): Promise<ListedPairs> {
    const caller = await actingCaller(headers, this.parts);
    const [custodian, state, after] = [this.custodian(caller), stateOf(listing.state), placeAfter(listing.after)];
    return this.parts.uow.run(async (tx) => {
      const person = await this.wanted(tx, listing.patient, caller);
      const page = await tx.reconciliations.list({ custodian, state, after, limit: PAGE, ...(person !== undefined && { person }) });
      const accesses = new Accesses(tx, this.parts, caller);
      if (person !== undefined) await accesses.person(person);
      const listed: ListedPair[] = [];
      for (const pair of page) {
        if (!(await this.mayList(tx, pair, caller))) continue;
        await accesses.person(pair.person, [pair.known, pair.come]);
        listed.push(shown(pair));
      }
      await accesses.record('record-searched');
      const last = page.length === PAGE ? page.at(-1)?.id : undefined;
      return { reconciliations: listed, ...(last === undefined ? {} : { next: last }) };
    });
  }

  /** Throws `reconciliation.unknown`, `reconciliation.judged`, `reconciliation.changed`, `person.not-custodian`, `fhir.scope-missing`. */
  async judge(headers: CallHeaders, id: string, to: Judgement, reason: string): Promise<ListedPair> {
    const caller = await actingCaller(headers, this.parts);
    return this.parts.uow.run(async (tx) => {
      await spendStatement(tx, caller.acting);
      const pair = await this.find(tx, id, caller);
      await this.advance(tx, pair, 'open', to);
      if (to === 'same' && !(await stillSame(tx, pair))) throw new PortolanError('reconciliation.changed', 'the address');
      if (to === 'same') await this.link(tx, pair, true, reason, caller);
      return this.answer(tx, pair, to, reason, caller);
    });
  }

  /** Takes a judgement back: both entries are shown again, and the pair is open, or withdrawn where the two say the same no more. */
  async open(headers: CallHeaders, id: string, reason: string): Promise<ListedPair> {
    const caller = await actingCaller(headers, this.parts);
    return this.parts.uow.run(async (tx) => {
      await spendStatement(tx, caller.acting);
      const pair = await this.find(tx, id, caller);
      if (pair.state !== 'same' && pair.state !== 'different') throw new PortolanError('reconciliation.judged', 'the address');
      await this.advance(tx, pair, pair.state, 'open');
      if (pair.state === 'same') await this.link(tx, pair, false, reason, caller);
      await judgeAgain(tx, [pair.come]);
      return this.answer(tx, pair, 'open', reason, caller);
    });
  }

  private custodian(caller: FhirCaller): string {
    return organisationKey(demandOrganisation(caller, this.parts));
  }

  private async wanted(tx: EdgeTx, patient: unknown, caller: FhirCaller): Promise<PersonId | undefined> {
    if (patient === undefined) return undefined;
    const person = await localPerson(tx, { type: 'Patient', id: typeof patient === 'string' ? patient : '' });
    demandPerson(caller, (await tx.persons.get(person))?.identifiers ?? []);
    return person;
  }

  private async mayList(tx: EdgeTx, { person, known, come }: Reconciliation, caller: FhirCaller): Promise<boolean> {
    const { identifiers = [] } = (await tx.persons.get(person)) ?? {};
    return isStated(caller, identifiers) && [known, come].every((entry) => mayAct(caller, [typeOf(entry), 'r']));
  }

  private async find(tx: EdgeTx, id: string, caller: FhirCaller): Promise<Reconciliation> {
    const pair = isUuid(id) ? await tx.reconciliations.get(id) : undefined;
    if (pair === undefined) throw new PortolanError('reconciliation.unknown', 'the address');
    if (pair.custodian !== this.custodian(caller)) throw new PortolanError('person.not-custodian', 'the calling system');
    const type = typeOf(pair.come);
    if (!mayAct(caller, [type, 'u'])) throw new PortolanError('fhir.scope-missing', 'access token', `${type}.u`);
    demandPerson(caller, (await tx.persons.get(pair.person))?.identifiers ?? []);
    return pair;
  }

  private async advance(tx: EdgeTx, { id }: Reconciliation, from: Reconciliation['state'], to: Reconciliation['state']): Promise<void> {
    if (!(await tx.reconciliations.advance(id, from, to))) throw new PortolanError('reconciliation.judged', 'the address');
  }

  /** The Linkage, and who said so, for whom and why. */
  private async link(tx: EdgeTx, pair: Reconciliation, active: boolean, reason: string, caller: FhirCaller): Promise<void> {
    const { id, person, known, come } = pair;
    const { versionId } = await fileEntry(tx, linkageOf(pair, id, caller.acting.actor, active), { person }, this.parts);
    const entity = [known, come].map((reference) => ({ role: 'source', what: { reference } }));
    const activity = versionId === 1 ? 'CREATE' : 'UPDATE';
    await fileProvenance(tx, { target: `Linkage/${id}/_history/${versionId}`, activity, reason, entity }, person, caller, this.parts);
  }

  private async answer(tx: EdgeTx, pair: Reconciliation, act: keyof typeof SAID, reason: string, caller: FhirCaller): Promise<ListedPair> {
    const { id, person, known, come } = pair;
    const facts = actOf('entries-reconciled', caller, this.parts, { items: [known, come], reason: `${SAID[act]}: ${reason}` });
    await recordLocalAct(tx, this.parts.random, facts, { person, keyId: await tx.keys.forPerson(person) });
    return shown((await tx.reconciliations.get(id)) ?? pair);
  }
}

const shown = ({ id, at, state, known, come }: Reconciliation): ListedPair => ({ id, at, state, known, come });

const typeOf = (entry: string): string => entry.split('/')[0] ?? '';

function stateOf(state: unknown): Reconciliation['state'] {
  if (state === undefined) return 'open';
  if (state === 'open' || state === 'same' || state === 'different') return state;
  throw new PortolanError('reconciliation.state-invalid', 'parameter state');
}
