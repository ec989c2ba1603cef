import { PortolanError } from '@portolan/contracts';
import { Inject, Injectable } from '@nestjs/common';
import { allOk, spendStatement, type AuditAct, type EdgeTx, type PatientLink, type PersonId } from '@portolan/domain';
import { EdgeParts } from '../edge.parts.js';
import { recordLocalAct } from '../local-acts.js';
import { actOf } from './accesses.js';
import { ok, parametersIn, type FhirAnswer, type FhirCall } from './fhir-call.js';
import { demandPerson, fhirCaller, type FhirCaller } from './fhir-caller.js';

/** `$link` and `$unlink`: a person confirms that somebody abroad is a patient of ours, and can undo it (design, section 4). */
@Injectable()
export class PatientLinks {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  async link(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts, ['Patient', 'u']);
    const parameters = parametersIn(call, this.parts);
    const [foreign, patient] = [parameters.reference('foreign'), parameters.reference('patient')];
    return this.parts.uow.run(async (tx) => {
      await spendStatement(tx, caller.acting);
      const link = await this.known(tx, foreign.id, caller);
      const local = await localPerson(tx, patient);
      await tx.links.put({ ...link, local });
      return this.done(tx, 'patient-linked', link, local, caller);
    });
  }

  async unlink(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts, ['Patient', 'u']);
    const foreign = parametersIn(call, this.parts).reference('foreign');
    return this.parts.uow.run(async (tx) => {
      await spendStatement(tx, caller.acting);
      const link = await this.known(tx, foreign.id, caller);
      if (link.local === undefined) return ok(JSON.stringify(allOk()));
      await tx.links.put({ ...link, local: undefined });
      return this.done(tx, 'patient-unlinked', link, link.local, caller);
    });
  }

  private async known(tx: EdgeTx, handle: string, caller: FhirCaller): Promise<PatientLink> {
    const link = await tx.links.get(handle);
    if (link === undefined) throw new PortolanError('request.patient-unknown', 'Parameters.foreign');
    demandPerson(caller, link.traits.identifiers);
    return link;
  }

  private async done(
    tx: EdgeTx,
    act: AuditAct,
    { handle, country }: PatientLink,
    person: PersonId,
    caller: FhirCaller,
  ): Promise<FhirAnswer> {
    const facts = actOf(act, caller, this.parts, { partner: country, items: [`Patient/${handle}`] });
    await recordLocalAct(tx, this.parts.random, facts, { person, keyId: await tx.keys.forPerson(person) });
    return ok(JSON.stringify(allOk()));
  }
}

/** The person of a local Patient. Throws `fhir.not-found`. */
export async function localPerson(tx: EdgeTx, { type, id }: { type: string; id: string }): Promise<PersonId> {
  const patient = type === 'Patient' ? await tx.resources.get('Patient', id) : undefined;
  if (patient?.person === undefined) throw new PortolanError('fhir.not-found', 'Patient resource');
  return patient.person;
}
