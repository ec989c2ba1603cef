import { EndorseError, GatewayError } from '@hyperledger/fabric-gateway';
import type { ErrorCode } from '@portolan/contracts';
import { refusalOf, type Tried } from '@portolan/fabric-channel';

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

/** `chaincode response 500, {"code":…,"where":…}`, as a peer's gateway passes a refusal on; its code must be one that is known here. */
function refusalIn(message: string): { readonly code: ErrorCode; readonly where: string } | undefined {
  const found = /chaincode response \d+, (\{.{1,2000}\})\s*$/su.exec(message)?.[1];
  return found === undefined ? undefined : refusalOf(found);
}
