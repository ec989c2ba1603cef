import { canonicalJson, PortolanError, type ExchangeAnswer, type ExchangeRequest } from '@portolan/contracts';
import { outgoing, sealContent } from '../exchange/envelopes.js';
import { instant } from '../kernel/machine.port.js';
import type { OutgoingEnvelope } from '../store/exchange-tx.port.js';
import type { ExchangePorts } from '../transfer/exchange.ports.js';
import { needed, type CustodianData, type SealedParts } from '../transfer/transfer.data.js';

const head = (request: ExchangeRequest): { kind: 'answer'; transferId: string; from: string; to: string } => ({
  kind: 'answer',
  transferId: request.transferId,
  from: request.to,
  to: request.from,
});

/** An answer without a record, signed and sealed; both outcomes have one length on the wire. */
export async function sealAnswer(request: ExchangeRequest, outcome: ExchangeAnswer['outcome'], ports: ExchangePorts): Promise<SealedParts> {
  const answer: ExchangeAnswer = {
    v: 1,
    transferId: request.transferId,
    outcome,
    emergency: 'may-be-declared',
    time: instant(ports.clock.now()),
  };
  const key = await ports.channel.sealKey(request.from);
  if (key === undefined) throw new PortolanError('request.partner-has-no-key', 'permit/answer');
  return sealContent(ports.sealer, ports.sha256, canonicalJson(answer), head(request), key);
}

/** The answer leaves at one fixed time after its request came, whatever the reason and however long deciding took (design, invariant 8). */
export function answerMessages(
  request: ExchangeRequest,
  data: CustodianData,
  sealed: SealedParts,
  ports: ExchangePorts,
): OutgoingEnvelope[] {
  const leaves = Date.parse(needed(data.receivedAt, 'receivedAt')) + ports.country.policy.negativeAnswerMs;
  return outgoing(head(request), ports.random.uuid(), sealed, instant(leaves));
}
