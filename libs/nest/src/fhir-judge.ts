import { judgeOf } from '@portolan/domain';
import { R4Validator } from '@portolan/fhir-validator';
import type { FhirJudge } from '@portolan/formats';

/** The judge of foreign FHIR by HL7's definitions, for a command that lives for a moment: these are read when it is first asked. */
export function fhirJudge(): FhirJudge {
  let judge: FhirJudge | undefined;
  return (resource) => (judge ??= judgeOf(new R4Validator()))(resource);
}
