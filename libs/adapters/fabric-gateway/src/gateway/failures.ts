import { EndorseError, GatewayError } from '@hyperledger/fabric-gateway';
import { errorRegistry, PortolanError, type ErrorCode } from '@portolan/contracts';

/** What became of one try, as far as it can be known. */
export type Tried =
  | { readonly is: 'committed' }
  /** Our own peer runs the rule to a refusal. */
  | { readonly is: 'refused'; readonly code: ErrorCode; readonly where: string }
  /** Nothing was ordered, or it was and changed nothing: the act may be tried again at once. */
  | { readonly is: 'again'; readonly code: ErrorCode }
  /** It may have been ordered. */
  | { readonly is: 'unknown'; readonly cause: unknown };

/** gRPC status codes (grpc/grpc, doc/statuscodes.md). */
const grpc = { resourceExhausted: 8, aborted: 10, outOfRange: 11 } as const;

/** What an error of the gateway client means for the act. `org`: ours, whose peer's refusal counts. */
export function failureOf(error: unknown, org: string): Tried {
  if (!(error instanceof GatewayError)) return { is: 'unknown', cause: error };
  if (error.code === grpc.resourceExhausted || error.code === grpc.outOfRange || isTooLarge(error))
    return { is: 'refused', code: 'ledger.transaction-too-large', where: 'transaction' };
  if (error instanceof EndorseError) return endorseFailure(error, org);
  // An orderer that says no has not ordered; one that does not answer may have.
  if (error.name === 'SubmitError' && error.code === grpc.aborted) return { is: 'again', code: 'ledger.endorsement-failed' };
  return { is: 'unknown', cause: error };
}

const isTooLarge = ({ details }: GatewayError): boolean => details.some(({ message }) => message.includes('exceeds maximum allowed'));

/** Nothing that was not endorsed can be ordered. Another country's peer that refuses lags behind ours, or its rules or clock differ. */
function endorseFailure({ details }: EndorseError, org: string): Tried {
  const refusals = details.flatMap(({ mspId, message }) => {
    const refusal = refusalIn(message);
    return refusal === undefined ? [] : [{ mspId, ...refusal }];
  });
  const ours = refusals.find(({ mspId }) => mspId === org);
  return ours === undefined ? { is: 'again', code: 'ledger.endorsement-failed' } : { is: 'refused', code: ours.code, where: ours.where };
}

/** `chaincode response 500, {"code":…,"where":…}`, as a peer passes a refusal on; its code must be one that is known here. */
export function refusalIn(message: string): { readonly code: ErrorCode; readonly where: string } | undefined {
  const found = /chaincode response \d+, (\{.{1,2000}\})\s*$/su.exec(message)?.[1];
  if (found === undefined) return undefined;
  try {
    const { code, where } = JSON.parse(found) as Record<string, unknown>;
    return isCode(code) ? { code, where: typeof where === 'string' ? where : '' } : undefined;
  } catch {
    return undefined;
  }
}

const isCode = (text: unknown): text is ErrorCode => typeof text === 'string' && Object.hasOwn(errorRegistry, text);

export function unreachable(cause: unknown, where = 'fabric peer'): PortolanError {
  return cause instanceof PortolanError ? cause : new PortolanError('ledger.unreachable', where, undefined, { cause });
}
