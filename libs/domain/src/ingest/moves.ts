import { identifierKey, isFhirObject, type FhirObject, type FhirValue } from '@portolan/formats';

/** An entry of a record: `Type/id`, and its content. */
export interface RecordEntry {
  readonly name: string;
  readonly tree: FhirObject;
}

/** Which entries go with a stay; or one because of which nobody can tell. */
export type StayMove =
  { readonly kind: 'moves'; readonly entries: ReadonlySet<string> } | { readonly kind: 'entangled'; readonly entry: string };

/** What tells of the person and not of a stay, or of what was done: it stays with whom it is about. */
const OF_THE_PERSON: ReadonlySet<string> = new Set(['Patient', 'RelatedPerson', 'Coverage', 'Account', 'Provenance']);

const typeOf = (name: string): string => name.slice(0, name.indexOf('/'));

/**
 * What moves with a stay to another person (HL7 v2 A45): what refers to it, and what only those refer to that move. Nobody said to which stay
 * something belongs that names two, or that something of another stay refers to, or refers from; then nothing can be moved.
 */
export function decideStayMove(stay: string, record: readonly RecordEntry[]): StayMove {
  const graph = linksAmong(record);
  const moves = movesWith(stay, graph);
  const open = [...moves].flatMap((name) => [
    ...graph.from(name).filter((one) => !moves.has(one)),
    ...graph.to(name).filter((one) => !moves.has(one) && !isLeft(one)),
  ]);
  return open[0] === undefined ? { kind: 'moves', entries: moves } : { kind: 'entangled', entry: open[0] };
}

/** Which entries of a record an entry refers to, and which refer to it. */
interface Links {
  readonly to: (name: string) => readonly string[];
  readonly from: (name: string) => readonly string[];
}

export function linksAmong(record: readonly RecordEntry[]): Links {
  const names = new Set(record.map(({ name }) => name));
  const to = new Map(record.map(({ name, tree }) => [name, namedIn(tree, names)]));
  const from = new Map<string, string[]>();
  for (const [name, targets] of to) for (const target of targets) from.set(target, [...(from.get(target) ?? []), name]);
  return { to: (name) => to.get(name) ?? [], from: (name) => from.get(name) ?? [] };
}

function movesWith(stay: string, links: Links): ReadonlySet<string> {
  const { to, from } = links;
  const ofAnother = (name: string): boolean => to(name).some((one) => typeOf(one) === 'Encounter' && one !== stay);
  return joinedTo([stay], links, (name, moves) => {
    if (!mayGoAlong(name) || ofAnother(name)) return false;
    return to(name).some((one) => moves.has(one)) || from(name).every((one) => moves.has(one));
  });
}

/**
 * These, and what joins them: whatever refers to one of them, or is referred to by it, is looked at whenever another one joins.
 */
export function joinedTo(
  start: Iterable<string>,
  { to, from }: Links,
  joins: (name: string, joined: ReadonlySet<string>) => boolean,
): ReadonlySet<string> {
  const joined = new Set(start);
  const waiting = [...joined];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const near of [...from(name), ...to(name)]) {
      if (joined.has(near) || !joins(near, joined)) continue;
      joined.add(near);
      waiting.push(near);
    }
  }
  return joined;
}

/** Whether an entry can go to another person with a stay: it is neither one itself, nor tells of the person. */
export const mayGoAlong = (name: string): boolean => !OF_THE_PERSON.has(typeOf(name)) && typeOf(name) !== 'Encounter';

/** The person is another one afterwards, and accounts are named anew: neither holds a stay back. */
const isLeft = (name: string): boolean => typeOf(name) === 'Patient' || typeOf(name) === 'Account';

/** Which of these entries a content refers to; a version of one is part of the trail, and does not count. */
function namedIn(tree: FhirValue, names: ReadonlySet<string>): readonly string[] {
  const found = new Set<string>();
  const look = (value: FhirValue): void => {
    if (Array.isArray(value)) value.forEach(look);
    if (!isFhirObject(value)) return;
    const { reference } = value;
    if (typeof reference === 'string' && names.has(reference)) found.add(reference);
    Object.values(value).forEach(look);
  };
  look(tree);
  return [...found];
}

/** The content with other names (`Type/id`) in its references; the very same where it names none of them. */
export function renamed<T extends FhirValue>(value: T, names: ReadonlyMap<string, string>): T {
  if (Array.isArray(value)) {
    const items = value.map((one) => renamed(one, names));
    return items.every((one, i) => one === value[i]) ? value : (items as T & FhirValue[]);
  }
  if (!isFhirObject(value)) return value;
  const entries = Object.entries(value).map(([element, one]): [string, FhirValue] => [
    element,
    element === 'reference' && typeof one === 'string' ? (names.get(one) ?? one) : renamed(one, names),
  ]);
  return entries.every(([element, one]) => one === value[element]) ? value : (Object.fromEntries(entries) as T);
}

/** What is known of a stay, each over the one before it: as it stood, as it stands where it goes, and as the message names it. */
export function restedStay(layers: readonly FhirObject[], formerly: readonly FhirObject[]): FhirObject {
  const said = layers.at(-1) ?? {};
  const { account: _account, ...stood } = layers[0] ?? {};
  const whole = layers.slice(1).reduce((under, over) => ({ ...under, ...over }), stood);
  const gone = new Set([...formerly, ...listOf(said['identifier'])].map(identifierKey));
  const kept = layers.slice(0, -1).flatMap(({ identifier }) => listOf(identifier).filter((one) => !gone.has(identifierKey(one))));
  const identifier = [...listOf(said['identifier']), ...kept];
  // A move does not say how far the stay is, unless it ended: its class alone gives a status.
  const status =
    said['status'] === 'finished' ? said['status'] : layers.slice(0, -1).findLast((one) => one['status'] !== undefined)?.['status'];
  return { ...whole, ...(identifier.length > 0 && { identifier }), ...(status !== undefined && { status }) };
}

const listOf = (value: FhirValue | undefined): readonly FhirObject[] => (Array.isArray(value) ? value.filter(isFhirObject) : []);
