import { PortolanError } from '@portolan/contracts';
import { Inject, Injectable } from '@nestjs/common';
import { isSearchable, parseSearch, type EdgeTx, type PersonId, type SearchQuery } from '@portolan/domain';
import { EdgeParts } from '../edge.parts.js';
import { header, searchParameters, type FhirAnswer, type FhirCall } from './fhir-call.js';
import { fhirCaller, needOf, type FhirCaller } from './fhir-caller.js';
import { ForeignViews, type ReadableView } from './foreign-views.js';
import { indexOptions } from './index-options.js';
import { LocalRecords } from './local-records.js';
import { OtherForms } from './other-forms.js';
import { isReadable } from './stored-types.js';

const ID = /^[A-Za-z0-9.-]{1,64}$/;

/** Read, version read, history and search (R4 §3.1.0): of the node's own records, and of the foreign ones that are open to the caller. */
@Injectable()
export class Records {
  private readonly local: LocalRecords;
  private readonly foreign: ForeignViews;

  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(OtherForms) private readonly forms: OtherForms,
  ) {
    this.local = new LocalRecords(parts, indexOptions(parts));
    this.foreign = new ForeignViews(parts, indexOptions(parts));
  }

  async read(call: FhirCall): Promise<FhirAnswer> {
    const { type, id } = placeOf(call);
    const caller = await fhirCaller(call, this.parts, needOf(type));
    const look = (tx: EdgeTx): Promise<FhirAnswer | undefined> => this.either(tx, type, id, caller, header(call, 'if-none-match'));
    return this.found(type, async (tx) => this.forms.write(await look(tx), call.form));
  }

  async version(call: FhirCall): Promise<FhirAnswer> {
    const { type, id } = placeOf(call);
    const caller = await fhirCaller(call, this.parts, needOf(type));
    const version = /^[1-9]\d{0,8}$/.test(call.params['version'] ?? '') ? Number(call.params['version']) : 0;
    return this.found(type, (tx) => this.local.version(tx, type, id, version, caller));
  }

  async history(call: FhirCall): Promise<FhirAnswer> {
    const { type, id } = placeOf(call);
    const caller = await fhirCaller(call, this.parts, needOf(type));
    return this.found(type, (tx) => this.local.history(tx, type, id, caller));
  }

  async search(call: FhirCall): Promise<FhirAnswer> {
    const type = typeOf(call);
    const caller = await fhirCaller(call, this.parts, needOf(type, 's'));
    const handling = /\bhandling=lenient\b/.test(header(call, 'prefer') ?? '') ? 'lenient' : 'strict';
    const query = parseSearch(type, searchParameters(call), { ...indexOptions(this.parts), handling });
    return this.parts.uow.run(async (tx) => {
      const { views, persons } = await this.whom(tx, query, caller);
      return views.length > 0 ? this.foreign.search(tx, query, views, caller) : this.local.search(tx, query, caller, persons);
    });
  }

  private async either(
    tx: EdgeTx,
    type: string,
    id: string,
    caller: FhirCaller,
    ifNoneMatch: string | undefined,
  ): Promise<FhirAnswer | undefined> {
    return (await this.local.read(tx, type, id, caller, ifNoneMatch)) ?? (await this.foreign.read(tx, type, id, caller));
  }

  private async found(type: string, look: (tx: EdgeTx) => Promise<FhirAnswer | undefined>): Promise<FhirAnswer> {
    const answer = await this.parts.uow.run(look);
    if (answer === undefined) throw new PortolanError('fhir.not-found', `${type} resource`);
    return answer;
  }

  /**
   * Whom the search names by a Patient: persons of ours, or a person abroad by our handle. A Patient that is neither is answered as
   * not found, whether it never was or its views have ended: an empty result would read as "nothing recorded".
   */
  private async whom(tx: EdgeTx, query: SearchQuery, caller: FhirCaller): Promise<Whom> {
    const named: Whom[] = [];
    for (const { id, must } of namedPatients(query)) {
      const one = await this.patient(tx, id, caller);
      if (must && one === undefined) throw new PortolanError('fhir.not-found', 'the patient of the search');
      if (one !== undefined) named.push(one);
    }
    const views = named.flatMap((one) => one.views);
    if (views.length > 0 && named.some((one) => one.views.length === 0))
      throw new PortolanError('fhir.search-mixed', `the search for ${query.type}`);
    return { views, persons: named.flatMap(({ persons }) => persons) };
  }

  private async patient(tx: EdgeTx, id: string, caller: FhirCaller): Promise<Whom | undefined> {
    const local = await tx.resources.get('Patient', id);
    if (local !== undefined) return { views: [], persons: local.person === undefined ? [] : [local.person] };
    const views = await this.foreign.ofHandle(tx, id, caller);
    return views.length === 0 ? undefined : { views, persons: [] };
  }
}

/** Whose record a search is about: views of persons abroad, or persons of ours. */
interface Whom {
  readonly views: readonly ReadableView[];
  readonly persons: readonly PersonId[];
}

/** Patients that a search names: by reference they must be there, by `_id` they may be. */
function namedPatients({ type, clauses }: SearchQuery): readonly { id: string; must: boolean }[] {
  return clauses.flatMap((clause) => {
    if (type === 'Patient' && clause.param === '_id' && clause.kind === 'token' && !clause.not) {
      return clause.any.flatMap(({ code }) => (code === undefined ? [] : [{ id: code, must: false }]));
    }
    if (clause.kind !== 'reference' || (clause.param !== 'patient' && clause.param !== 'subject')) return [];
    return clause.any.flatMap((one) => {
      if (one.by !== 'id' || (one.type !== undefined && one.type !== 'Patient')) return [];
      return [{ id: one.id, must: one.type === 'Patient' || clause.param === 'patient' }];
    });
  });
}

function typeOf({ params }: FhirCall): string {
  const { type = '' } = params;
  if (!isSearchable(type) || !isReadable(type)) throw new PortolanError('fhir.type-unsupported', 'the type in the address');
  return type;
}

function placeOf({ params }: FhirCall): { type: string; id: string } {
  const { type = '', id = '' } = params;
  if (!isReadable(type)) throw new PortolanError('fhir.type-unsupported', 'the type in the address');
  if (!ID.test(id)) throw new PortolanError('fhir.not-found', `${type} resource`);
  return { type, id };
}
