import { PortolanError } from '@portolan/contracts';
import { Inject, Injectable } from '@nestjs/common';
import { assembleSummary, type EdgeTx, type PersonId } from '@portolan/domain';
import { EdgeParts } from '../edge.parts.js';
import { hasBody, ok, parametersIn, type FhirAnswer, type FhirCall } from './fhir-call.js';
import { fhirCaller, type FhirCaller } from './fhir-caller.js';
import { ForeignViews } from './foreign-views.js';
import { indexOptions } from './index-options.js';
import { OtherForms } from './other-forms.js';
import { documentText, ownRecord } from './own-record.js';

/** `Patient/<id>/$summary` (HL7 IPS 2.0.0): of our own record, or the newest summary that came from abroad. */
@Injectable()
export class PatientSummary {
  private readonly foreign: ForeignViews;

  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(OtherForms) private readonly forms: OtherForms,
  ) {
    this.foreign = new ForeignViews(parts, indexOptions(parts));
  }

  async summary(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts, ['*', 'r']);
    // The operation's own parameters (profile, identifier) change nothing here, but what is sent must be sound.
    if (hasBody(call)) parametersIn(call, this.parts);
    const { id = '' } = call.params;
    const answer = await this.parts.uow.run(async (tx) => {
      const patient = await tx.resources.get('Patient', id);
      const made = await (patient?.person === undefined ? this.foreign.summary(tx, id, caller) : this.local(tx, patient.person, caller));
      return this.forms.write(made, call.form);
    });
    if (answer === undefined) throw new PortolanError('fhir.not-found', 'Patient resource');
    return answer;
  }

  private async local(tx: EdgeTx, person: PersonId, caller: FhirCaller): Promise<FhirAnswer | undefined> {
    const record = await ownRecord(tx, person, this.parts);
    return record && ok(await documentText(tx, person, assembleSummary(record), caller, this.parts));
  }
}
