import {
  parseBounded,
  PortolanError,
  type CompactJws,
  type CountryCode,
  type Instant,
  type ReleasedStep,
  type StepLeaf,
  type Uuid,
} from '@portolan/contracts';
import { instant } from '../kernel/machine.port.js';
import { kidOf } from '../seal/kid-of.js';
import type { ExchangePorts } from '../transfer/exchange.ports.js';

/** JWS type of a step that its sender signs because it cannot be anchored yet. The payload is the exact leaf text. */
export const LATE_STEP_TYP = 'portolan-late-step+jws';

/** A release that its sender signed instead of anchoring it. */
export interface LateRelease {
  readonly jws: CompactJws;
  /** Exact leaf text, as it will be anchored. */
  readonly leaf: string;
}

/** What a late act adds to a leaf: its emergency, and when it happened. */
export interface Late {
  readonly late: Uuid;
  readonly time: Instant;
}

/** Nothing happens before its emergency was declared: our clock may be a little behind its declarer's. */
export function lateAt(emergency: { readonly id: Uuid; readonly declared: Instant }, now: number): Late {
  return { late: emergency.id, time: instant(Math.max(now, Date.parse(emergency.declared))) };
}

/**
 * Verifies a partner's word for a late release under its registered key. Throws `seal.signature-invalid`, or
 * `exchange.envelope-invalid` where what was signed is no late release of this transfer to us.
 */
export async function openLateStep(
  jws: CompactJws,
  head: { readonly transferId: Uuid; readonly from: CountryCode },
  ports: ExchangePorts,
): Promise<LateRelease> {
  const where = 'exchange/late';
  const key = await ports.channel.senderKey(head.from, kidOf(jws, 'exchange.envelope-invalid', where));
  if (key === undefined) throw new PortolanError('seal.signature-invalid', where);
  const leaf = await ports.signer.verify(jws, LATE_STEP_TYP, key);
  const step = ports.validators.check<StepLeaf>(
    'step-leaf',
    parseBounded(leaf, 4000, 'exchange.envelope-invalid', where),
    'exchange.envelope-invalid',
    where,
  );
  if (!isLateRelease(step) || step.transferId !== head.transferId || step.from !== head.from || step.to !== ports.country.code)
    throw new PortolanError('exchange.envelope-invalid', where, 'not a late release of this transfer');
  return { jws, leaf };
}

const isLateRelease = (step: StepLeaf): step is ReleasedStep =>
  step.step === 'released' && step.by === step.from && step.late !== undefined;
