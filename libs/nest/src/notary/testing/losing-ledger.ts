import { PortolanError } from '@portolan/contracts';
import { ScriptedLedger } from './scripted-ledger.js';

export interface Submitted {
  readonly id: string;
  readonly fn: string;
  readonly args: unknown;
}

/** A channel that notes what came, and whose next answers are lost as it is told: the transaction came to it, or did not. */
export class LosingLedger extends ScriptedLedger {
  readonly losses: ('after' | 'before')[] = [];
  readonly submitted: Submitted[] = [];

  override async submit(call: Submitted): Promise<void> {
    this.submitted.push(call);
    const loss = this.losses.shift();
    if (loss !== 'before') await super.submit(call);
    if (loss !== undefined) throw new PortolanError('ledger.unreachable', 'test');
  }
}
