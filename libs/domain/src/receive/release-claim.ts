import { parseBounded, type CommittedPredecessor, type ReleasedStep, type StepLeaf } from '@portolan/contracts';
import { sealedRoot } from '@portolan/verify';
import { isLive } from '../emergency/declared-emergency.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';
import { askerData, needed } from '../transfer/transfer.data.js';
import { mayDecrypt, mayDecryptLate, type BeforeOpening, type Leave } from './open.decide.js';

/** The release as it was told to us: its exact leaf text, and where it stands on the channel; undefined for a late one that does not yet. */
export interface ReleaseClaim {
  readonly text: string;
  readonly leaf: ReleasedStep | undefined;
  readonly stands: CommittedPredecessor | undefined;
}

/** A late release is looked for on our own copy first: where it stands by now, it is opened like every other. */
export async function claimOf(transfer: Transfer, ports: ExchangePorts): Promise<ReleaseClaim> {
  const { released, lateRelease } = askerData(transfer);
  const stands = released ?? (await ports.channel.stepOf(transfer.transferId, 'released', transfer.partner));
  const text = stands?.leaf ?? needed(lateRelease, 'lateRelease').leaf;
  return { text, leaf: leafOf(text, ports), stands };
}

/** Whether the record may be decrypted, by what our own copy shows at this moment. */
export async function leaveOf(transfer: Transfer, { leaf, stands }: ReleaseClaim, ports: ExchangePorts): Promise<Leave> {
  const us = ports.country.code;
  const known: Omit<BeforeOpening, 'standing' | 'leaf'> = {
    now: ports.clock.now(),
    root: sealedRoot(needed(askerData(transfer).arrived, 'arrived').hashes, ports.sha256),
    transferId: transfer.transferId,
    from: transfer.partner,
    to: us,
  };
  if (stands !== undefined) return mayDecrypt({ ...known, leaf, standing: await ports.channel.standing(stands, us) });
  if (leaf === undefined) return { may: false, reason: 'step-mismatch' };
  const { late } = leaf;
  const own = late === undefined ? undefined : await ports.uow.run((tx) => tx.emergencies.get(late));
  return mayDecryptLate({
    ...known,
    leaf,
    channelDown: !(await ports.channel.reachable()),
    permit: await ports.channel.permitStanding(leaf.from, leaf.permitId, us),
    asked: needed(askerData(transfer).asked, 'asked'),
    emergencyLives: isLive(own, transfer.partner, known.now),
  });
}

function leafOf(text: string, ports: ExchangePorts): ReleasedStep | undefined {
  const leaf: unknown = parseBounded(text, 4000, 'exchange.envelope-invalid', 'receive/leaf');
  if (ports.validators.mistake('step-leaf', leaf) !== undefined) return undefined;
  const step = leaf as StepLeaf;
  return step.step === 'released' ? step : undefined;
}
