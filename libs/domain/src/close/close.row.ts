import {
  canonicalJson,
  parseBounded,
  PortolanError,
  type CounterReceipt,
  type ErrorCode,
  type ExpiredStep,
  type ReceivedStep,
  type RefusedStep,
} from '@portolan/contracts';
import { sha256Hex } from '@portolan/verify';
import { recordAct, type Act } from '../audit/record-act.js';
import { openContent } from '../exchange/envelopes.js';
import { instant } from '../kernel/machine.port.js';
import { post } from '../messages/post.js';
import { kidOf } from '../seal/kid-of.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { custodianData, lateMark, needed } from '../transfer/transfer.data.js';

interface Facts {
  readonly counterReceipt: string;
  readonly receipt: CounterReceipt;
  readonly final: ReceivedStep | RefusedStep;
  readonly releasedHash: string;
  readonly receiptHash: string;
}
type Decision = { readonly to: 'closed' | 'refused'; readonly counterReceipt: string };

/** Row 10c: the sender has the receiver's word, and finds the receiver's step on its own copy; both must say the same. */
export const closeRow = row<ExchangeTx, ExchangePorts, Transfer, Facts, Decision>({
  step: 'close',
  role: 'exchange',
  side: 'custodian',
  from: 'receipted',
  to: ['closed', 'refused'],
  async gather(transfer, ports) {
    const { counterReceipt, receipt } = await openReceipt(transfer, ports);
    const found = await ports.channel.stepOf(transfer.transferId, receipt.outcome, transfer.partner);
    if (found === undefined) throw new PortolanError('receive.receipt-not-visible', 'close');
    const releasedHash = sha256Hex(needed(custodianData(transfer).leaf, 'leaf'), ports.sha256);
    return {
      counterReceipt,
      receipt,
      final: JSON.parse(found.leaf) as Facts['final'],
      releasedHash,
      receiptHash: sha256Hex(counterReceipt, ports.sha256),
    };
  },
  decide({ counterReceipt, receipt, final, releasedHash, receiptHash }) {
    const bound = receipt.predecessor === releasedHash && final.predecessor === releasedHash && final.step === receipt.outcome;
    if (!bound || (final.step === 'received' && final.receiptHash !== receiptHash))
      throw new PortolanError('receive.receipt-invalid', 'close');
    return { to: receipt.outcome === 'received' ? 'closed' : 'refused', counterReceipt };
  },
  async write(tx, transfer, { to, counterReceipt }, ports) {
    const outcome = to === 'closed' ? 'received' : 'refused';
    // Content and sealed parts have served; hashes, leaf and counter-receipt remain for the receipt.
    const sealed = { hashes: needed(custodianData(transfer).sealed, 'sealed').hashes, parts: [] };
    if (!(await tx.transfers.advance(transfer.transferId, 'receipted', to, { data: { counterReceipt, outcome, content: null, sealed } })))
      return;
    const act = to === 'closed' ? 'record-received-abroad' : 'record-refused-abroad';
    await recordAct(tx, ports.random, endAct(act, to === 'closed' ? 'success' : 'refused', transfer, ports), {
      person: transfer.person,
      keyId: transfer.keyId,
    });
  },
});

async function openReceipt(transfer: Transfer, ports: ExchangePorts): Promise<{ counterReceipt: string; receipt: CounterReceipt }> {
  const sealed = needed(custodianData(transfer).receipt, 'receipt');
  const head = { kind: 'counter-receipt', transferId: transfer.transferId, from: transfer.partner, to: ports.country.code } as const;
  const senders = (country: string, kid: string): ReturnType<ExchangePorts['channel']['senderKey']> =>
    ports.channel.senderKey(country, kid);
  const { content } = await openContent(ports.sealer, sealed, head, senders);
  const key = await senders(transfer.partner, kidOf(content, 'receive.receipt-invalid', 'close/counter-receipt'));
  if (key === undefined) throw new PortolanError('seal.signature-invalid', 'close/counter-receipt');
  const payload = await ports.signer.verify(content, 'portolan-counter-receipt+jws', key);
  const parsed = parseBounded(payload, 10_000, 'receive.receipt-invalid', 'close/counter-receipt');
  return {
    counterReceipt: content,
    receipt: ports.validators.check<CounterReceipt>('counter-receipt', parsed, 'receive.receipt-invalid', 'close/counter-receipt'),
  };
}

interface ExpiryFacts {
  readonly leaf: string;
  /** Why nothing expires yet, and for how long; undefined where it may. */
  readonly waits: { readonly code: ErrorCode; readonly forMs: number } | undefined;
}

/** How long a look at the channel is put off where nothing says when it will be worth it. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Row 10d: no final step of the receiver stands, and none can stand any more, so the sender anchors `expired`. That is some minutes after
 * limit and grace: the channel says when, since a step dated in time may come into a block as late as its clock window allows.
 */
export const expireRow = row<ExchangeTx, ExchangePorts, Transfer, ExpiryFacts, { to: 'expiring' | 'sent' } & ExpiryFacts>({
  step: 'expire',
  role: 'exchange',
  side: 'custodian',
  from: 'sent',
  to: ['expiring', 'sent'],
  async gather(transfer, ports) {
    const { transferId, partner } = transfer;
    const predecessor = sha256Hex(needed(custodianData(transfer).leaf, 'leaf'), ports.sha256);
    const us = ports.country.code;
    const step: ExpiredStep = { v: 1, step: 'expired', transferId, from: us, to: partner, by: us, predecessor };
    return { leaf: canonicalJson(step), waits: await waitsFor(transfer, ports) };
  },
  decide: (facts) => ({ to: facts.waits === undefined ? 'expiring' : 'sent', ...facts }),
  async write(tx, transfer, { waits, leaf }, ports) {
    const { transferId, keyId } = transfer;
    if (waits !== undefined) return tx.transfers.postpone(transferId, waits.forMs, waits.code);
    if (!(await tx.transfers.advance(transferId, 'sent', 'expiring', {}))) return;
    const after = needed(custodianData(transfer).released, 'released');
    await post(tx, {
      id: ports.random.uuid(),
      type: 'step.anchor',
      key: transferId,
      keyId,
      body: { transferId, step: 'expired', leaf, after },
    });
    await recordAct(tx, ports.random, endAct('record-expired', 'failed', transfer, ports), { person: transfer.person, keyId });
  },
});

/** Why nothing expires yet, though limit and grace have passed by our clock. */
async function waitsFor(transfer: Transfer, { channel, clock }: ExchangePorts): Promise<ExpiryFacts['waits']> {
  const { transferId, partner } = transfer;
  const { released } = custodianData(transfer);
  // A late release that does not stand itself yet; the notary alarms where it is missing too long.
  const opens = released === undefined ? undefined : await channel.expiresAfter(released);
  if (opens === undefined) return { code: 'ledger.ground-not-visible', forMs: LOOK_AGAIN_MS };
  const now = clock.now();
  if (now <= Date.parse(opens)) return { code: 'ledger.step-too-early', forMs: Date.parse(opens) - now + 1 };
  const final = (await channel.stepOf(transferId, 'received', partner)) ?? (await channel.stepOf(transferId, 'refused', partner));
  // The receiver's step stands but its counter-receipt is still on the way: the receiver resends it, we look again later.
  return final === undefined ? undefined : { code: 'receive.receipt-not-visible', forMs: LOOK_AGAIN_MS };
}

function endAct(act: Act['act'], outcome: Act['outcome'], transfer: Transfer, ports: ExchangePorts): Act {
  const { actor, purpose } = needed(custodianData(transfer).asked, 'asked');
  const permit = transfer.permitId === undefined ? {} : { permitId: transfer.permitId };
  const { transferId, partner } = transfer;
  return {
    act,
    recorded: instant(ports.clock.now()),
    outcome,
    actor,
    country: ports.country.code,
    partner,
    purpose,
    transferId,
    ...permit,
    ...lateMark(custodianData(transfer)),
  };
}
