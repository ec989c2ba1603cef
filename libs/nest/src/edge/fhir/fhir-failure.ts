import { PortolanError, type ErrorCode } from '@portolan/contracts';
import { operationOutcome, type FailureAnswer, type ValidationIssue } from '@portolan/domain';

/** A resource from outside breaks rules of FHIR R4; the findings name places and rules, never values. */
export class ResourceRefused extends Error {
  constructor(readonly issues: readonly ValidationIssue[]) {
    super('the resource was refused');
    this.name = 'ResourceRefused';
  }
}

/** What Fastify finds wrong before a handler runs, by its HTTP status. */
const OF_THE_SERVER: Readonly<Record<number, { code: ErrorCode; where: string }>> = {
  400: { code: 'fhir.json-invalid', where: 'the body' },
  413: { code: 'fhir.body-too-large', where: 'the body' },
  415: { code: 'fhir.media-type-unsupported', where: 'Content-Type' },
};

/** Every failure under /fhir as HTTP status and OperationOutcome; what is nobody's fault but ours is `fhir.failed`. */
export function failureAnswer(error: unknown): FailureAnswer & { code: ErrorCode } {
  if (error instanceof ResourceRefused) return { ...operationOutcome(error.issues), code: 'fhir.resource-invalid' };
  const known = error instanceof PortolanError ? error : ofServer(error);
  return { ...operationOutcome(known), code: known.code };
}

function ofServer(error: unknown): PortolanError {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  const met = typeof status === 'number' ? OF_THE_SERVER[status] : undefined;
  return met === undefined ? new PortolanError('fhir.failed', 'edge/fhir') : new PortolanError(met.code, met.where);
}
