import { PortolanError, type Uuid } from '@portolan/contracts';
import { instant, type EdgeTx, type Principal } from '@portolan/domain';
import { sha256Hex } from '@portolan/verify';
import type { EdgeParts } from '../edge.parts.js';
import { indexOptions } from '../fhir/index-options.js';
import { partPersons } from '../part-persons.js';
import { operatorActor } from './operator-acts.js';

type Parts = Pick<EdgeParts, 'country' | 'clock' | 'random' | 'sha256' | 'pack' | 'fhirBase'>;

/** Two persons whom a source joined by mistake are two again. Throws `operator.merge-unknown`, `operator.merge-undone`. */
export async function undoMerge(
  tx: EdgeTx,
  id: Uuid,
  { principal, reason }: { readonly principal: Principal; readonly reason: string },
  parts: Parts,
): Promise<void> {
  const merge = await tx.persons.mergeOf(id);
  if (merge === undefined) throw new PortolanError('operator.merge-unknown', ':id');
  const { country, clock, random, sha256 } = parts;
  const parting = { actor: operatorActor(principal, parts), reason, at: instant(clock.now()) };
  const tools = { country, random, sha256Of: (text: string) => sha256Hex(text, sha256), index: indexOptions(parts) };
  if (!(await partPersons(tx, merge, parting, tools))) throw new PortolanError('operator.merge-undone', ':id');
}
