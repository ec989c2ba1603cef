import type { Reject } from './engine/index.js';
import { identifierKey } from './identifier-key.js';
import type { PersonTraits } from './person-traits.js';

/**
 * Why a move of an identifier (HL7 v2 A43) cannot be acted on: it does not say what is moved from whom to whom. As of 2.3 PID-3 and MRG-1 both
 * hold the identifier itself, and PID-2 and MRG-4 (withdrawn since) whose it is and was; then nothing but what is moved names the Patient.
 */
export function unmovable([subject]: readonly PersonTraits[], moved: readonly PersonTraits[]): readonly Reject[] {
  const refused = (code: Reject['code'], path: string): Reject => ({ code, path, rule: '(document)', severity: 'document' });
  if (subject === undefined || moved.length === 0) return [refused('translate.value-missing', 'PID-3')];
  const hers = new Set(subject.identifiers.map(identifierKey));
  // In the lists of later versions what stands in both is moved, and the rest of MRG-1 names whose it was: nobody says that this moves, too.
  const mixed = moved.some(({ identifiers }) => new Set(identifiers.map((one) => hers.has(identifierKey(one)))).size > 1);
  return mixed ? [refused('ingest.move-entangled', 'MRG-1')] : [];
}
