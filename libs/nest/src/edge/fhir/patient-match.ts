import { PortolanError, type BusinessIdentifier, type SearchTraits } from '@portolan/contracts';
import { Inject, Injectable } from '@nestjs/common';
import {
  instant,
  matchBundle,
  matchTraits,
  OperationParameters,
  parseSearch,
  sentPatient,
  withVersion,
  type CertainMatch,
  type EdgeTransfer,
  type EdgeTx,
  type FhirObject,
  type PersonId,
  type ResourceVersion,
} from '@portolan/domain';
import { Crossing } from '../crossing.js';
import { EdgeParts } from '../edge.parts.js';
import { Accesses } from './accesses.js';
import { ok, resourceOf, type FhirAnswer, type FhirCall } from './fhir-call.js';
import { demandPerson, fhirCaller, type FhirCaller } from './fhir-caller.js';
import { indexOptions } from './index-options.js';
import { emergencyOf, purposeOf, waitOf } from './operation-inputs.js';

/** `Patient/$match` (R4 §Patient-match): one certain match or none, here or in the country named. */
@Injectable()
export class PatientMatch {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  /** A transfer where the answer comes from abroad: it is answered by `RecordRequests` like any other crossing. */
  async match(call: FhirCall): Promise<FhirAnswer | EdgeTransfer> {
    const caller = await fhirCaller(call, this.parts, ['Patient', 's']);
    const { traits, country, parameters } = this.question(call);
    demandPerson(caller, traits.identifiers);
    if (country === undefined || country === this.parts.country.code) return this.local(traits, caller);
    const crossing = new Crossing(this.parts);
    const emergency = parameters === undefined ? undefined : emergencyOf(parameters);
    const question = { country, purpose: purposeOf(parameters, caller), traits, ...(emergency === undefined ? {} : { emergency }) };
    const id = await crossing.match(question, caller);
    return crossing.wait(id, waitOf(parameters, call), caller);
  }

  /** The answer to a match abroad that has come: nothing but what was sent, under our own handle. */
  async answer(transfer: EdgeTransfer): Promise<FhirAnswer> {
    if (transfer.state !== 'matched') return this.bundle(undefined);
    const { traits } = transfer.data as { traits: SearchTraits };
    const handle = await new Crossing(this.parts).keepMatch(transfer);
    return this.bundle({ id: handle, text: sentPatient(handle, traits) });
  }

  private question(call: FhirCall): { traits: SearchTraits; country: string | undefined; parameters: OperationParameters | undefined } {
    const resource: FhirObject = resourceOf(call, this.parts);
    if (resource['resourceType'] !== 'Parameters') {
      return { traits: matchTraits(resource), country: call.query.get('country') ?? undefined, parameters: undefined };
    }
    const parameters = OperationParameters.of(resource);
    return { traits: matchTraits(parameters.resource('resource')), country: parameters.text('country'), parameters };
  }

  private async local(traits: SearchTraits, caller: FhirCaller): Promise<FhirAnswer> {
    for (const trait of this.parts.country.demandedTraits) {
      if (traits[trait] === undefined)
        throw new PortolanError('fhir.parameter-invalid', 'Parameters.resource', `${trait} is demanded here`);
    }
    return this.parts.uow.run(async (tx) => {
      const [person, ...others] = await tx.persons.byTraits(traits);
      const found = person === undefined || others.length > 0 ? undefined : await this.patientOf(tx, person.id, traits.identifiers);
      if (found === undefined) return this.bundle(undefined);
      const accesses = new Accesses(tx, this.parts, caller);
      await accesses.resource(found);
      await accesses.record('record-searched');
      return this.bundle({ id: found.id, text: withVersion(found.text, found.versionId, found.lastUpdated) });
    });
  }

  /** The Patient of the person that bears the identifier asked by. */
  private async patientOf(tx: EdgeTx, person: PersonId, identifiers: readonly BusinessIdentifier[]): Promise<ResourceVersion | undefined> {
    for (const { system, value } of identifiers) {
      const identifier = [system, value].map((part) => part.replace(/[\\,|$]/g, '\\$&')).join('|');
      const query = parseSearch('Patient', [['identifier', identifier]], indexOptions(this.parts));
      const { resources } = await tx.resources.search(query);
      const own = resources.find((resource) => resource.person === person);
      if (own !== undefined) return own;
    }
    return undefined;
  }

  private bundle(match: CertainMatch | undefined): FhirAnswer {
    const { random, clock, fhirBase } = this.parts;
    return ok(matchBundle(fhirBase, { id: random.uuid(), time: instant(clock.now()) }, match));
  }
}
