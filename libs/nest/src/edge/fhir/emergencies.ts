import { PortolanError, type Instant } from '@portolan/contracts';
import { Inject, Injectable } from '@nestjs/common';
import {
  declarable,
  EMERGENCY_TERM_MS,
  instant,
  parametersOf,
  post,
  spendStatement,
  toFhirJson,
  type FhirObject,
  type OperationParameters,
  type RoleMessages,
} from '@portolan/domain';
import { EdgeParts } from '../edge.parts.js';
import { ok, parametersIn, type FhirAnswer, type FhirCall } from './fhir-call.js';
import { fhirCaller, type FhirCaller } from './fhir-caller.js';
import { reasonOf, uuidOf } from './operation-inputs.js';

const HOUR_MS = 3_600_000;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

const OUTCOMES = ['justified', 'not-justified'] as const;

function idOf(parameters: OperationParameters): string {
  const id = uuidOf(parameters, 'id');
  if (id === undefined) throw new PortolanError('fhir.parameter-invalid', 'Parameters.id', 'missing');
  return id;
}

/** `$declare-emergency`: by a named professional, with a reason and an end; its review falls due without anybody asking (invariant 8). */
@Injectable()
export class Emergencies {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  async declare(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts, ['*', 'r']);
    const { acting, evidence } = caller;
    const { partners, clock } = this.parts;
    if (!acting.purposes.includes('ETREAT')) throw new PortolanError('request.purpose-not-stated', 'purpose_of_use', 'ETREAT');
    const parameters = parametersIn(call, this.parts);
    const country = parameters.needed('country');
    if (!partners.includes(country)) throw new PortolanError('exchange.partner-unknown', 'Parameters.country');
    const until = this.endOf(parameters.needed('until'));
    const { reviewDue } = declarable({ country, until, acting, partners, policy: this.parts.country.policy, now: clock.now() });
    const emergencyId = this.parts.random.uuid();
    const body = { emergencyId, country, until, reason: reasonOf(parameters), evidence };
    await this.parts.uow.run(async (tx) => {
      await spendStatement(tx, acting);
      await post(tx, { id: this.parts.random.uuid(), type: 'emergency.declare', key: emergencyId, keyId: await tx.keys.create(), body });
    });
    const answer: readonly FhirObject[] = [
      { name: 'id', valueId: emergencyId },
      { name: 'until', valueInstant: until },
      { name: 'reviewDue', valueInstant: reviewDue },
    ];
    return ok(toFhirJson(parametersOf(answer)));
  }

  /** `$end-emergency`: it is over before its time; what was opened under it ends with its permits. */
  async end(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts, ['*', 'r']);
    const emergencyId = idOf(parametersIn(call, this.parts));
    await this.hand('emergency.end', { emergencyId, evidence: caller.evidence }, caller);
    return ok(toFhirJson(parametersOf([{ name: 'id', valueId: emergencyId }])));
  }

  /** `$review-emergency`: somebody else than who declared it judges afterwards whether it was one, and says why. */
  async review(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts, ['*', 'r']);
    const parameters = parametersIn(call, this.parts);
    const outcome = OUTCOMES.find((one) => one === parameters.needed('outcome'));
    if (outcome === undefined) throw new PortolanError('fhir.parameter-invalid', 'Parameters.outcome', OUTCOMES.join(' or '));
    const emergencyId = idOf(parameters);
    const { evidence } = caller;
    await this.parts.link.query('exchange', 'emergency.demand-reviewable', { emergencyId, evidence });
    await this.hand('emergency.review', { emergencyId, outcome, finding: reasonOf(parameters), evidence }, caller);
    return ok(toFhirJson(parametersOf([{ name: 'id', valueId: emergencyId }])));
  }

  private async hand<Type extends 'emergency.end' | 'emergency.review'>(
    type: Type,
    body: RoleMessages[Type],
    { acting }: FhirCaller,
  ): Promise<void> {
    const { uow, random } = this.parts;
    await uow.run(async (tx) => {
      await spendStatement(tx, acting);
      await post(tx, { id: random.uuid(), type, key: body.emergencyId, keyId: await tx.keys.create(), body });
    });
  }

  private endOf(text: string): Instant {
    const end = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
    const now = this.parts.clock.now();
    if (end > now && end <= now + EMERGENCY_TERM_MS) return instant(end);
    throw new PortolanError(
      'fhir.parameter-invalid',
      'Parameters.until',
      `an instant within the next ${EMERGENCY_TERM_MS / HOUR_MS} hours is expected`,
    );
  }
}
