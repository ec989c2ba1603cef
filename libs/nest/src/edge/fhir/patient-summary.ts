import { PortolanError } from '@portolan/contracts';
import { Inject, Injectable } from '@nestjs/common';
import {
  DATA_CATEGORIES,
  assembleSummary,
  instant,
  minimise,
  parseFhirJson,
  toFhirJson,
  type EdgeTx,
  type FhirObject,
  type PersonId,
} from '@portolan/domain';
import { hexOf } from '@portolan/verify';
import { EdgeParts } from '../edge.parts.js';
import { Accesses } from './accesses.js';
import { hasBody, ok, parametersIn, type FhirAnswer, type FhirCall } from './fhir-call.js';
import { fhirCaller, type FhirCaller } from './fhir-caller.js';
import { ForeignViews } from './foreign-views.js';
import { indexOptions } from './index-options.js';

const MAX_RESOURCES = 5_000;

/** `Patient/<id>/$summary` (HL7 IPS 2.0.0): of our own record, or the newest summary that came from abroad. */
@Injectable()
export class PatientSummary {
  private readonly foreign: ForeignViews;

  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {
    this.foreign = new ForeignViews(parts, indexOptions(parts));
  }

  async summary(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts, ['*', 'r']);
    // The operation's own parameters (profile, identifier) change nothing here, but what is sent must be sound.
    if (hasBody(call)) parametersIn(call, this.parts);
    const { id = '' } = call.params;
    const answer = await this.parts.uow.run(async (tx) => {
      const patient = await tx.resources.get('Patient', id);
      return patient?.person === undefined ? this.foreign.summary(tx, id, caller) : this.local(tx, patient.person, caller);
    });
    if (answer === undefined) throw new PortolanError('fhir.not-found', 'Patient resource');
    return answer;
  }

  /** Everything that the node holds of the person, in the words of the country. */
  private async local(tx: EdgeTx, person: PersonId, caller: FhirCaller): Promise<FhirAnswer | undefined> {
    const { country, clock, sha256 } = this.parts;
    const held = (await tx.resources.ofPerson(person, 'all', MAX_RESOURCES)).map(({ type, id, text }) =>
      parseFhirJson(text, `${type}/${id}`),
    );
    const identifiers = (await tx.persons.get(person))?.identifiers ?? [];
    const content = minimise(held, { categories: DATA_CATEGORIES }, identifiers);
    if (content === undefined) return undefined;
    const custodian = { country: country.code, ...country.custodian };
    const assembly = {
      content,
      custodian,
      wording: country.wording,
      timestamp: instant(clock.now()),
      sha256: (bytes: Uint8Array) => hexOf(sha256(bytes)),
    };
    const { bundle, entries } = assembleSummary(assembly);
    const accesses = new Accesses(tx, this.parts, caller);
    await accesses.person(
      person,
      entries.map(({ source }) => source),
    );
    await accesses.record('record-read');
    return ok(toFhirJson(bundle as unknown as FhirObject));
  }
}
