import type { Actor } from '@portolan/contracts';
import { instant, type AuditAct, type EdgeTx, type KeyId, type Principal } from '@portolan/domain';
import type { EdgeParts } from '../edge.parts.js';
import { recordLocalAct } from '../local-acts.js';

type Tools = Pick<EdgeParts, 'country' | 'clock' | 'random'>;

/** Who runs the node: a named human of the custodian's. */
export function operatorActor({ subject, issuer, name }: Principal, { country }: Pick<EdgeParts, 'country'>): Actor {
  const { identifier: id, name: organisation } = country.custodian;
  return {
    kind: 'authority',
    name: name ?? 'operator',
    id: { system: issuer, value: subject },
    role: 'operator',
    organisation: { id, name: organisation },
  };
}

export interface OperatorAct {
  readonly act: Extract<
    AuditAct,
    'rejects-read' | 'reject-original-read' | 'reject-repaired' | 'reject-discarded' | 'mapping-answered' | 'delivery-revived'
  >;
  readonly outcome?: 'success' | 'refused';
  readonly reason?: string;
  /** What was touched: rejects and messages have no FHIR type of their own, so they are `Basic/<id>`. */
  readonly items?: readonly string[];
  /** Key of the message concerned; a key of nobody's where there is none. */
  readonly keyId?: KeyId;
}

/** Writes an operator's act in the transaction that does it (design, invariant 6). */
export async function recordOperatorAct(
  tx: EdgeTx,
  principal: Principal,
  { keyId, outcome = 'success', ...what }: OperatorAct,
  tools: Tools,
): Promise<void> {
  const { country, clock, random } = tools;
  const act = { ...what, outcome, recorded: instant(clock.now()), actor: operatorActor(principal, tools), country: country.code };
  await recordLocalAct(tx, random, act, { person: undefined, keyId: keyId ?? (await tx.keys.create()) });
}
