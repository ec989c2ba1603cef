import { canonicalJson, PortolanError, type ReleasedStep } from '@portolan/contracts';
import { bytesOfBase64url, commit, utf8 } from '@portolan/verify';
import { sealContent } from '../exchange/envelopes.js';
import { post } from '../messages/post.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { row } from '../transfer/row.js';
import { custodianData, needed, type SealedParts } from '../transfer/transfer.data.js';

interface Facts {
  readonly sealed: SealedParts;
  readonly leaf: ReleasedStep;
}
type Decision = { readonly to: 'sealed'; readonly sealed: SealedParts; readonly leaf: string };

/**
 * Row 7: sign with our key, then encrypt to the receiver's; the hash of the ciphertext and a salted commitment to the signed bytes
 * make the leaf of `released`, which the notary anchors before anything is sent (design, invariant 1).
 */
export const sealRow = row<ExchangeTx, ExchangePorts, Transfer, Facts, Decision>({
  step: 'seal',
  role: 'exchange',
  side: 'custodian',
  from: 'assembled',
  to: ['sealed'],
  async gather(transfer, ports) {
    const data = custodianData(transfer);
    const content = needed(data.content, 'content');
    const from = ports.country.code;
    const { transferId, partner: to } = transfer;
    const key = await ports.channel.sealKey(to);
    if (key === undefined) throw new PortolanError('request.partner-has-no-key', 'seal/record');
    const { root, ...sealed } = await sealContent(ports.sealer, ports.sha256, content, { kind: 'record', transferId, from, to }, key);
    const leaf: ReleasedStep = {
      v: 1,
      step: 'released',
      transferId,
      from,
      to,
      by: from,
      permitId: needed(transfer.permitId, 'permitId'),
      ciphertextHash: root,
      commitment: commit(bytesOfBase64url(needed(data.salt, 'salt')), utf8(content), ports.sha256),
      limit: transfer.limit,
      graceSeconds: ports.country.policy.graceSeconds,
    };
    return { sealed, leaf };
  },
  decide: ({ sealed, leaf }) => ({ to: 'sealed', sealed, leaf: canonicalJson(leaf) }),
  async write(tx, transfer, { sealed, leaf }, ports) {
    const { transferId, keyId } = transfer;
    if (!(await tx.transfers.advance(transferId, 'assembled', 'sealed', { data: { sealed, leaf } }))) return;
    await post(tx, { id: ports.random.uuid(), type: 'step.anchor', key: transferId, keyId, body: { transferId, step: 'released', leaf } });
  },
});
