import { canonicalJson, PortolanError, type CompactJws, type ReleasedStep } from '@portolan/contracts';
import { bytesOfBase64url, commit, utf8 } from '@portolan/verify';
import { LATE_STEP_TYP, lateAt, type Late } from '../emergency/late-step.js';
import { sealContent } from '../exchange/envelopes.js';
import { post } from '../messages/post.js';
import { sealAnswer, withholdRelease } from '../permit/answer.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { custodianData, needed, type SealedParts } from '../transfer/transfer.data.js';

interface Facts {
  readonly sealed: SealedParts;
  readonly leaf: string;
  /** Our word for a late release; undefined where the anchor is awaited. */
  readonly lateStep: CompactJws | undefined;
  /** The sealed negative answer, where a late release's permit has ended meanwhile: nobody else would stop it. */
  readonly withheld: SealedParts | undefined;
}
type Sealed = { readonly to: 'sealed' | 'anchored' } & Pick<Facts, 'sealed' | 'leaf' | 'lateStep'>;
type Decision = Sealed | { readonly to: 'answered'; readonly none: SealedParts };

/**
 * Row 7: sign with our key, then encrypt to the receiver's; the hash of the ciphertext and a salted commitment to the signed bytes
 * make the leaf of `released`, which the notary anchors before anything is sent (design, invariant 1). In an emergency with the channel
 * unreachable we sign the leaf itself, and go on.
 */
export const sealRow = row<ExchangeTx, ExchangePorts, Transfer, Facts, Decision>({
  step: 'seal',
  role: 'exchange',
  side: 'custodian',
  from: 'assembled',
  to: ['sealed', 'anchored', 'answered'],
  async gather(transfer, ports) {
    const { late: emergency } = custodianData(transfer);
    const late = emergency === undefined ? undefined : lateAt(emergency, ports.clock.now());
    const { root, ...sealed } = await sealRecord(transfer, ports);
    const leaf = canonicalJson(leafOf(transfer, root, late, ports));
    const lateStep = late === undefined ? undefined : await ports.signer.sign('sign', LATE_STEP_TYP, leaf);
    return { sealed, leaf, lateStep, withheld: late === undefined ? undefined : await withheldAnswer(transfer, ports) };
  },
  decide({ withheld, ...facts }) {
    if (withheld !== undefined) return { to: 'answered', none: withheld };
    return { to: facts.lateStep === undefined ? 'sealed' : 'anchored', ...facts };
  },
  write: (tx, transfer, decision, ports) =>
    decision.to === 'answered' ? withholdRelease(tx, transfer, 'assembled', decision.none, ports) : keep(tx, transfer, decision, ports),
});

async function sealRecord(transfer: Transfer, ports: ExchangePorts): ReturnType<typeof sealContent> {
  const { transferId, partner: to } = transfer;
  const head = { kind: 'record', transferId, from: ports.country.code, to } as const;
  const key = await ports.channel.sealKey(to);
  if (key === undefined) throw new PortolanError('request.partner-has-no-key', 'seal/record');
  return sealContent(ports.sealer, ports.sha256, needed(custodianData(transfer).content, 'content'), head, key);
}

function leafOf(transfer: Transfer, root: string, late: Late | undefined, ports: ExchangePorts): ReleasedStep {
  const { content, salt } = custodianData(transfer);
  const { transferId, partner: to, limit } = transfer;
  const from = ports.country.code;
  return {
    v: 1,
    step: 'released',
    transferId,
    from,
    to,
    by: from,
    permitId: needed(transfer.permitId, 'permitId'),
    ciphertextHash: root,
    commitment: commit(bytesOfBase64url(needed(salt, 'salt')), utf8(needed(content, 'content')), ports.sha256),
    limit,
    graceSeconds: ports.country.policy.graceSeconds,
    ...late,
  };
}

async function withheldAnswer(transfer: Transfer, ports: ExchangePorts): Promise<SealedParts | undefined> {
  const permit = await ports.uow.run((tx) => tx.permits.get(needed(transfer.permitId, 'permitId')));
  return permit?.state === 'ended' ? sealAnswer(needed(custodianData(transfer).asked, 'asked'), 'none', ports) : undefined;
}

async function keep(tx: ExchangeTx, transfer: Transfer, { to, sealed, leaf, lateStep }: Sealed, ports: ExchangePorts): Promise<void> {
  const { transferId, keyId } = transfer;
  const data = { sealed, leaf, ...(lateStep === undefined ? {} : { lateStep }) };
  if (!(await tx.transfers.advance(transferId, 'assembled', to, { data }))) return;
  await post(tx, { id: ports.random.uuid(), type: 'step.anchor', key: transferId, keyId, body: { transferId, step: 'released', leaf } });
}
