import { PortolanError, type OrgId, type Uuid } from '@portolan/contracts';
import { Ledger, type CommittedBlock, type CommittedTx, type LedgerEvidence } from '@portolan/domain';

/** What may befall one `submit`: a try that changed nothing, a call that was lost before it was ordered, an answer that was lost after. */
export type Mishap = 'read-conflict' | 'endorsement-failed' | 'lost-before' | 'lost-after';

const told = {
  'read-conflict': 'ledger.read-conflict',
  'endorsement-failed': 'ledger.endorsement-failed',
  'lost-before': 'ledger.unreachable',
  'lost-after': 'ledger.unreachable',
} as const;

/**
 * A ledger to which happens what only Fabric knows (read conflicts at commit, endorsements that differ) and what every network does, so that
 * those who use the port meet it on the embedded ledger, too (design, section 6).
 */
export class InjectedLedger extends Ledger {
  /** What befalls the next calls of `submit`, in this order. */
  readonly mishaps: Mishap[] = [];

  constructor(private readonly inner: Ledger) {
    super();
  }

  async submit(call: { id: Uuid; fn: string; args: unknown }): Promise<void> {
    const mishap = this.mishaps.shift();
    if (mishap === undefined || mishap === 'lost-after') await this.inner.submit(call);
    if (mishap !== undefined) throw new PortolanError(told[mishap], `injected ${call.fn}`);
  }

  outcome(id: Uuid): Promise<CommittedTx | undefined> {
    return this.inner.outcome(id);
  }

  record(owner: OrgId, key: string): Promise<Uint8Array | undefined> {
    return this.inner.record(owner, key);
  }

  height(): Promise<number> {
    return this.inner.height();
  }

  blocks(from: number, limit: number): Promise<readonly CommittedBlock[]> {
    return this.inner.blocks(from, limit);
  }

  beyond(height: number, timeoutMs: number): Promise<void> {
    return this.inner.beyond(height, timeoutMs);
  }

  lastContact(): number {
    return this.inner.lastContact();
  }

  evidence(txId: Uuid): Promise<LedgerEvidence | undefined> {
    return this.inner.evidence(txId);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
