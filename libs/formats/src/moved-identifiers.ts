import { parseSourcePath, select, type Reject, type SourceNode } from './engine/index.js';
import { businessId, textsAt, type IdentityContext } from './engine/instances.js';
import { identifierKey } from './identifier-key.js';
import type { PersonTraits } from './person-traits.js';

/** Repetitions of PID-3 and MRG-1 that are looked at. */
const MAX_LISTED = 50;

/**
 * Id of the Patient to whom a message of HL7 v2.3 moves an identifier (A43, §3.2.43 there): PID-3 and MRG-1 both hold the internal identifier, which
 * is moved, and PID-2, the external one, names whose it is from now on (MRG-4, whose it was). Undefined in every other form: where PID-3 names
 * somebody besides what is moved, it is she.
 */
export function movedTo(root: SourceNode, identity: IdentityContext): string | undefined {
  const to = numberAt(root, '//PID/PID-2[1]');
  const listed = listAt(root, '//PID/PID-3');
  const moved = new Set(listAt(root, '//MRG/MRG-1').map((one) => JSON.stringify(one)));
  const isMoved = (one: readonly string[]): boolean => moved.has(JSON.stringify(one));
  if (to === undefined || isMoved(to) || listed.length === 0 || !listed.every(isMoved)) return undefined;
  return businessId(identity, 'Patient', to);
}

function listAt(root: SourceNode, field: string): readonly (readonly string[])[] {
  const count = Math.min(select(root, parseSourcePath(field)).length, MAX_LISTED);
  return Array.from({ length: count }, (_, i) => numberAt(root, `${field}[${i + 1}]`)).filter((one) => one !== undefined);
}

/** What tells a CX from others, as the rule of Patient has it: the number, and who assigns it. */
function numberAt(root: SourceNode, field: string): readonly string[] | undefined {
  const [value = '', assigner = ''] = ['1', '4'].map((component) => textsAt(root, parseSourcePath(`${field}/${component}`)));
  return value === '' ? undefined : [value, assigner];
}

/**
 * Why a move of an identifier (HL7 v2 A43) cannot be acted on: it does not say what is moved from whom to whom, as where nothing but what is moved
 * names the Patient.
 */
export function unmovable([subject]: readonly PersonTraits[], moved: readonly PersonTraits[]): readonly Reject[] {
  const refused = (code: Reject['code'], path: string): Reject => ({ code, path, rule: '(document)', severity: 'document' });
  if (subject === undefined || moved.length === 0) return [refused('translate.value-missing', 'PID-3')];
  const hers = new Set(subject.identifiers.map(identifierKey));
  // In the lists of later versions what stands in both is moved, and the rest of MRG-1 names whose it was: nobody says that this moves, too.
  const mixed = moved.some(({ identifiers }) => new Set(identifiers.map((one) => hers.has(identifierKey(one)))).size > 1);
  return mixed ? [refused('ingest.move-entangled', 'MRG-1')] : [];
}
