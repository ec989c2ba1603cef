import { canonicalJson, PortolanError, type Actor, type ErrorCode, type ExchangeRequest, type RequestEmergency } from '@portolan/contracts';
import { actingIn } from '../access/acting-in.js';
import { spendStatement } from '../access/spend-statement.js';
import type { ActingProfessional } from '../access/token.port.js';
import { recordAct } from '../audit/record-act.js';
import { declaredEmergency } from '../emergency/declared-emergency.js';
import { outgoing, sealContent } from '../exchange/envelopes.js';
import { instant } from '../kernel/machine.port.js';
import type { AskCommand } from '../messages/role-messages.js';
import { post } from '../messages/post.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { askerData, needed, type SealedParts } from '../transfer/transfer.data.js';

/** How long an asker waits for a record before it gives up; the custodian's limit may be shorter. */
const ASK_WITHIN_SECONDS = 900;

interface AskFacts {
  readonly acting: ActingProfessional;
  readonly request: ExchangeRequest;
  readonly sealed: SealedParts;
}
type AskDecision = { readonly to: 'asked' } & AskFacts;

/** Row 4: the asking country's exchange checks who acts, signs the request, and seals it to the country asked. */
export const askRow = row<ExchangeTx, ExchangePorts, Transfer, AskFacts, AskDecision>({
  step: 'ask',
  role: 'exchange',
  side: 'asker',
  from: 'asking',
  to: ['asked'],
  async gather(transfer, ports) {
    const command = needed(askerData(transfer).command, 'command');
    const acting = await actingFor(command, ports);
    const request = requestOf(command, acting.actor, await declaredEmergency(command, transfer, ports), ports);
    const key = await ports.channel.sealKey(command.country);
    if (key === undefined) throw new PortolanError('request.partner-has-no-key', 'request/ask');
    const sealed = await sealContent(ports.sealer, ports.sha256, canonicalJson(request), head(request), key);
    return { acting, request, sealed };
  },
  decide: (facts) => ({ to: 'asked', ...facts }),
  async write(tx, transfer, { acting, request, sealed }, ports) {
    const data = { asked: request, actor: request.actor };
    const limit = request.limit;
    if (!(await tx.transfers.advance(transfer.transferId, 'asking', 'asked', { data, limit, dueAt: limit }))) return;
    await spendStatement(tx, acting);
    const trace = askerData(transfer).trace?.traceparent;
    for (const message of outgoing(
      head(request),
      ports.random.uuid(),
      sealed,
      { notBefore: request.time, until: limit },
      trace === undefined ? {} : { trace },
    ))
      await tx.outgoing.add(message);
    const act = request.kind === 'match' ? 'person-sought-abroad' : 'record-asked-abroad';
    const { actor, purpose, time: recorded } = request;
    await recordAct(
      tx,
      ports.random,
      {
        act,
        recorded,
        outcome: 'success',
        actor,
        country: ports.country.code,
        partner: request.to,
        purpose,
        transferId: transfer.transferId,
        categories: request.categories,
      },
      { person: undefined, keyId: transfer.keyId },
    );
  },
  fail: (tx, transfer, error, ports) => answerEdge(tx, transfer, 'asking', error.code, ports),
});

const head = (request: ExchangeRequest): { kind: 'request'; transferId: string; from: string; to: string } => ({
  kind: 'request',
  transferId: request.transferId,
  from: request.from,
  to: request.to,
});

/** Who acts, as the exchange itself verified it: the edge's word alone opens nothing. */
async function actingFor(command: AskCommand, ports: ExchangePorts): Promise<ActingProfessional> {
  const acting = await actingIn(command.evidence, ports, 'request/ask');
  if (!acting.purposes.includes(command.purpose)) throw new PortolanError('request.purpose-not-stated', 'request/ask');
  return acting;
}

function requestOf(command: AskCommand, actor: Actor, emergency: RequestEmergency | undefined, ports: ExchangePorts): ExchangeRequest {
  const now = ports.clock.now();
  const { transferId, kind, country, purpose, traits, categories, since, until, caseId } = command;
  return {
    v: 1,
    kind,
    transferId,
    from: ports.country.code,
    to: country,
    purpose,
    actor,
    traits,
    categories: [...categories],
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    caseId,
    ...(emergency === undefined ? {} : { emergency }),
    time: instant(now),
    limit: instant(now + (ports.country.policy.askWithinSeconds ?? ASK_WITHIN_SECONDS) * 1000),
  };
}

/** Row 4b: nobody answered within the limit. */
export const giveUpRow = row<ExchangeTx, ExchangePorts, Transfer, undefined, { to: 'failed' }>({
  step: 'give-up',
  role: 'exchange',
  side: 'asker',
  from: 'asked',
  to: ['failed'],
  gather: async () => undefined,
  decide: () => ({ to: 'failed' }),
  write: (tx, transfer, _decision, ports) => answerEdge(tx, transfer, 'asked', 'request.unanswered', ports),
});

/** Ends the transfer on our side and tells the edge, whose client waits. */
async function answerEdge(
  tx: ExchangeTx,
  transfer: Transfer,
  from: 'asking' | 'asked',
  code: ErrorCode,
  ports: ExchangePorts,
): Promise<void> {
  if (!(await tx.transfers.advance(transfer.transferId, from, 'failed', {}))) return;
  const body = { transferId: transfer.transferId, outcome: 'failed', code } as const;
  await post(tx, { id: ports.random.uuid(), type: 'transfer.outcome', key: transfer.transferId, keyId: transfer.keyId, body });
}
