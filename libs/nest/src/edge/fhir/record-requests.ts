import { isErrorCode, PortolanError, type DataCategory } from '@portolan/contracts';
import { Inject, Injectable } from '@nestjs/common';
import { isUuid, parametersOf, toFhirJson, type EdgeTransfer, type OperationParameters } from '@portolan/domain';
import { Crossing, type RecordQuestion } from '../crossing.js';
import { EdgeParts } from '../edge.parts.js';
import { ok, parametersIn, type FhirAnswer, type FhirCall } from './fhir-call.js';
import { demandPerson, fhirCaller, type FhirCaller } from './fhir-caller.js';
import { categoriesOf, dateOf, emergencyOf, purposeOf, uuidOf, waitOf } from './operation-inputs.js';
import { PatientMatch } from './patient-match.js';

/**
 * The explicit request for a record held abroad, and the answer to every crossing, now or later (FHIR R4 asynchronous pattern,
 * §async): 200 where it is there, 202 with Content-Location while it is not, the one negative answer else.
 */
@Injectable()
export class RecordRequests {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(PatientMatch) private readonly matches: PatientMatch,
  ) {}

  async match(call: FhirCall): Promise<FhirAnswer> {
    const answer = await this.matches.match(call);
    return 'transferId' in answer ? this.answer(answer) : answer;
  }

  async request(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts, ['*', 'r']);
    const parameters = parametersIn(call, this.parts);
    const question = questionOf(parameters, caller);
    await this.demandPersonOf(question.patientHandle, caller);
    const crossing = new Crossing(this.parts);
    const id = await crossing.record(question, caller);
    return this.answer(await crossing.wait(id, waitOf(parameters, call), caller));
  }

  /** `$async/<transfer>`: to whoever asked, and to nobody else. */
  async poll(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts);
    const { id = '' } = call.params;
    if (!isUuid(id)) throw new PortolanError('request.unknown', 'the address');
    return this.answer(await new Crossing(this.parts).state(id, caller));
  }

  private answer(transfer: EdgeTransfer): Promise<FhirAnswer> | FhirAnswer {
    switch (transfer.state) {
      case 'asked':
        return this.later(transfer);
      case 'failed':
        throw failureOf(transfer);
      case 'viewed':
        return ok(toFhirJson(released(transfer)));
      case 'matched':
        return this.matches.answer(transfer);
      case 'none':
      case 'ended':
        if (transfer.kind === 'match') return this.matches.answer(transfer);
        throw new PortolanError('request.none', 'the country asked');
    }
  }

  private later({ transferId }: EdgeTransfer): FhirAnswer {
    const text = 'The country asked has not answered yet: ask at Content-Location';
    const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', details: { text } }] };
    const headers = { 'content-location': `${this.parts.fhirBase}/$async/${transferId}`, 'x-progress': 'asked', 'retry-after': '1' };
    return { status: 202, text: toFhirJson(outcome), headers };
  }

  private async demandPersonOf(handle: string, caller: FhirCaller): Promise<void> {
    const link = await this.parts.uow.alone((tx) => tx.links.get(handle));
    if (link !== undefined) demandPerson(caller, link.traits.identifiers);
  }
}

function questionOf(parameters: OperationParameters, caller: FhirCaller): RecordQuestion {
  const patient = parameters.reference('patient');
  if (patient.type !== 'Patient') throw new PortolanError('fhir.parameter-invalid', 'Parameters.patient', 'a Patient is expected');
  const optional = {
    since: dateOf(parameters, 'since'),
    until: dateOf(parameters, 'until'),
    caseId: uuidOf(parameters, 'caseId'),
    emergency: emergencyOf(parameters),
  };
  return {
    patientHandle: patient.id,
    purpose: purposeOf(parameters, caller),
    categories: categoriesOf(parameters),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

interface ReleasedData {
  readonly viewId: string;
  readonly permitId: string;
  readonly until: string;
  readonly categories: readonly DataCategory[];
}

function released({ transferId, data }: EdgeTransfer): ReturnType<typeof parametersOf> {
  const { viewId, permitId, until, categories } = data as ReleasedData;
  return parametersOf([
    { name: 'outcome', valueCode: 'released' },
    { name: 'view', valueReference: { reference: `Bundle/${viewId}` } },
    { name: 'transfer', valueId: transferId },
    { name: 'permit', valueId: permitId },
    { name: 'until', valueInstant: until },
    ...categories.map((category) => ({ name: 'category', valueCode: category })),
  ]);
}

function failureOf({ data }: EdgeTransfer): PortolanError {
  const { code } = (data ?? {}) as { code?: unknown };
  return new PortolanError(typeof code === 'string' && isErrorCode(code) ? code : 'request.failed', 'the crossing');
}
