import { parseSourcePath, type Reject, type SourceNode, type SourcePathPlan } from './engine/index.js';
import { businessId, textsAt, type IdentityContext } from './engine/instances.js';
import { identifierKey } from './identifier-key.js';
import type { PersonTraits } from './person-traits.js';

/** Repetitions of PID-3 and MRG-1 that are looked at. */
const MAX_LISTED = 50;

const PATHS = { to: parseSourcePath('//PID/PID-2'), listed: parseSourcePath('//PID/PID-3'), moved: parseSourcePath('//MRG/MRG-1') };
const CX = { value: parseSourcePath('1'), assigner: parseSourcePath('4'), kind: parseSourcePath('5') };

/**
 * Id of the Patient to whom a message moves an identifier (HL7 v2 A43, §3.3.43): where PID-3 lists somebody besides what MRG-1 moves, it is she, by the
 * identifier that her own messages name her by, wherever what is moved stands in the list. Where PID-3 holds the moved one alone, as HL7 v2.3
 * writes it (§3.2.43 there), it is whom PID-2, the external identifier, names (MRG-4, whose it was). Undefined where neither says it.
 */
export function movedTo(root: SourceNode, identity: IdentityContext): string | undefined {
  const moved = new Set(listAt(root, PATHS.moved).map(keyOf));
  const isMoved = (one: Listed): boolean => moved.has(keyOf(one));
  const [listed, [to]] = [listAt(root, PATHS.listed), listAt(root, PATHS.to)];
  const hers = listed.filter((one) => !isMoved(one));
  const external = listed.length === 0 || to === undefined || isMoved(to) ? undefined : to;
  const named = hers.find(({ kind }) => kind === 'NI') ?? hers[0] ?? external;
  return named && businessId(identity, 'Patient', [named.value, named.assigner]);
}

/** What tells a CX from others, as the rule of Patient has it: the number, who assigns it, and whether it is a national one. */
interface Listed {
  readonly value: string;
  readonly assigner: string;
  readonly kind: string;
}

const keyOf = ({ value, assigner }: Listed): string => JSON.stringify([value, assigner]);

const listAt = (root: SourceNode, field: SourcePathPlan): readonly Listed[] =>
  field
    .find(root)
    .slice(0, MAX_LISTED)
    .map((node) => ({ value: textsAt(node, CX.value), assigner: textsAt(node, CX.assigner), kind: textsAt(node, CX.kind) }))
    .filter(({ value }) => value !== '');

/**
 * Why a move of an identifier (HL7 v2 A43) cannot be acted on: it does not say what is moved from whom to whom, as where nothing but what is moved
 * names the Patient.
 */
export function unmovable([subject]: readonly PersonTraits[], moved: readonly PersonTraits[]): readonly Reject[] {
  const refused = (code: Reject['code'], path: string): Reject => ({ code, path, rule: '(document)', severity: 'document' });
  if (subject === undefined || moved.length === 0) return [refused('ingest.move-unclear', 'PID-3')];
  const hers = new Set(subject.identifiers.map(identifierKey));
  // In the lists of later versions what stands in both is moved, and the rest of MRG-1 names whose it was: nobody says that this moves, too.
  const mixed = moved.some(({ identifiers }) => new Set(identifiers.map((one) => hers.has(identifierKey(one)))).size > 1);
  return mixed ? [refused('ingest.move-entangled', 'MRG-1')] : [];
}
