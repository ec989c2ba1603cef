import { canonicalJson, PortolanError, type ExchangeAnswer, type ExchangeRequest } from '@portolan/contracts';
import { recordAct } from '../audit/record-act.js';
import { outgoing, sealContent } from '../exchange/envelopes.js';
import { instant } from '../kernel/machine.port.js';
import type { ExchangeTx, OutgoingEnvelope } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import type { CustodianState } from '../transfer/transfer.states.js';
import { custodianData, needed, type CustodianData, type SealedParts } from '../transfer/transfer.data.js';

const head = (request: ExchangeRequest): { kind: 'answer'; transferId: string; from: string; to: string } => ({
  kind: 'answer',
  transferId: request.transferId,
  from: request.to,
  to: request.from,
});

/**
 * An answer without a record, signed and sealed; both outcomes have one length on the wire. `time` stands in it: where it answers a
 * decision, the moment at which it leaves, since the moment of deciding would tell how long a source was waited for.
 */
export async function sealAnswer(
  request: ExchangeRequest,
  outcome: ExchangeAnswer['outcome'],
  ports: ExchangePorts,
  time = ports.clock.now(),
): Promise<SealedParts> {
  const answer: ExchangeAnswer = { v: 1, transferId: request.transferId, outcome, emergency: 'may-be-declared', time: instant(time) };
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
  leaves = Date.parse(needed(data.receivedAt, 'receivedAt')) + ports.country.policy.negativeAnswerMs,
): OutgoingEnvelope[] {
  return outgoing(head(request), ports.random.uuid(), sealed, instant(leaves));
}

/**
 * The permit ended, or was not accepted, before anything left: the asker gets the one negative answer, and the person is told. `none`
 * is that answer, sealed.
 */
export async function withholdRelease(
  tx: ExchangeTx,
  transfer: Transfer,
  from: CustodianState,
  none: SealedParts,
  ports: ExchangePorts,
): Promise<void> {
  const { transferId, person, keyId } = transfer;
  if (!(await tx.transfers.advance(transferId, from, 'answered', { data: { content: null, sealed: null } }))) return;
  const data = custodianData(transfer);
  const request = needed(data.asked, 'asked');
  for (const message of answerMessages(request, data, none, ports)) await tx.outgoing.add(message);
  const { actor, purpose, from: partner } = request;
  const act = { act: 'release-refused', outcome: 'refused', reason: 'withdrawn' } as const;
  const context = { recorded: instant(ports.clock.now()), actor, country: ports.country.code, partner, purpose, transferId };
  await recordAct(tx, ports.random, { ...act, ...context }, { person, keyId });
}
