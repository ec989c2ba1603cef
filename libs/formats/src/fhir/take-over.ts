import type { ErrorCode } from '@portolan/contracts';
import { BuildJob } from '../engine/build.js';
import { checkedDraft } from '../engine/checked-codes.js';
import type { CompiledResource } from '../engine/compile.js';
import type { Draft } from '../engine/drafts.js';
import { Refused, type Finding, type MappingQuestion } from '../engine/findings.js';
import {
  isFhirObject,
  select,
  toFhirJson,
  type FhirObject,
  type FhirResource,
  type FhirValue,
  type SourceNode,
  type TakeOver,
} from '../engine/index.js';
import { InstanceIndex } from '../engine/instances.js';
import type { Mark } from '../engine/marks.js';
import type { Reject, RunResult } from '../engine/run.js';
import { inCanonicalUnits } from '../terminology/canonical-units.js';
import { Addresses } from './addresses.js';
import { bound } from './bindings.js';
import { brokenPlace, copied, modifierPlace, type CopyJob, type Rewritten } from './copy.js';
import type { Entry, TakenApart } from './entries.js';
import { compositionOf } from './header.js';
import { houseIds } from './house-ids.js';
import { outcomeDraft } from './outcome.js';
import { identifierFor } from './open-references.js';
import { personOf, isOfAnother, type Person } from './person.js';

/** An entry that its type's rule takes, and under which id. */
interface Taken {
  readonly entry: Entry;
  readonly rule: CompiledResource;
  readonly id: string;
}

/** What became of one entry. */
interface Outcome {
  readonly draft: Draft | undefined;
  readonly rejects: readonly Reject[];
  readonly findings: readonly Finding[];
  readonly questions: readonly MappingQuestion[];
  /** Entries that it refers to. */
  readonly named: ReadonlySet<Entry>;
}

interface Work {
  readonly job: TakeOver;
  readonly addresses: Addresses;
  readonly person: Person;
  /** Those that stand so far. */
  readonly standing: ReadonlyMap<Entry, Taken>;
}

/**
 * Takes the resources of a foreign document over: copied, under ids of the house, references rewritten. What is not FHIR R4, of a type that is not
 * taken, changed by an unknown modifier, or about somebody else is left out, told and carried; what referred to it is copied again without it, so
 * that no reference leads to what is not there.
 */
export function takeOver(document: TakenApart, job: TakeOver): RunResult {
  const { taken, rejects } = takenOf(document, job);
  const outcomes = new Map<Entry, Outcome>();
  const work = { job, addresses: new Addresses(document.entries), person: personOf(document) };
  let standing = new Map(taken.map((one) => [one.entry, one]));
  for (;;) {
    const gone = goneOf({ ...work, standing }, outcomes);
    if (gone.size === 0) break;
    for (const entry of gone) rejects.push(...(outcomes.get(entry)?.rejects ?? []));
    standing = new Map([...standing].filter(([entry]) => !gone.has(entry)));
    for (const entry of standing.keys()) if (namesAny(outcomes.get(entry), gone)) outcomes.delete(entry);
  }
  return resultOf(
    [...standing.keys()].flatMap((entry) => outcomes.get(entry) ?? []),
    rejects,
    document,
    job,
  );
}

const namesAny = (outcome: Outcome | undefined, gone: ReadonlySet<Entry>): boolean =>
  outcome !== undefined && [...outcome.named].some((one) => gone.has(one));

/** Copies what stands and was not copied yet; the entries that cannot stand after all. */
function goneOf(work: Work, outcomes: Map<Entry, Outcome>): ReadonlySet<Entry> {
  const gone = new Set<Entry>();
  for (const one of work.standing.values()) {
    if (outcomes.has(one.entry)) continue;
    const outcome = outcomeOf(one, work);
    outcomes.set(one.entry, outcome);
    if (outcome.draft === undefined) gone.add(one.entry);
  }
  return gone;
}

function resultOf(outcomes: readonly Outcome[], rejects: readonly Reject[], document: TakenApart, { set, identity }: TakeOver): RunResult {
  const warnings = outcomes.flatMap(({ findings }) => findings);
  const drafts = outcomes
    .flatMap(({ draft }) => draft ?? [])
    .map((draft) => inCanonicalUnits(draft, set.units, (finding) => void warnings.push(finding)));
  const told = outcomeDraft(rejects, warnings, document.root, identity);
  return { drafts: [...drafts, ...told], warnings, rejects, questions: outcomes.flatMap(({ questions }) => questions) };
}

/** The entries that a rule takes, each with its id. */
function takenOf(document: TakenApart, { set, identity }: TakeOver): { taken: Taken[]; rejects: Reject[] } {
  const rules = rulesOf(document.root, set.resources);
  const ids = houseIds(document, identity);
  const others = othersIn(document);
  const rejects: Reject[] = [];
  const taken = new Map<string, Taken>();
  for (const entry of document.entries) {
    const rule = rules.get(entry.node);
    const id = ids.get(entry) ?? '';
    const name = `${entry.type}/${id}`;
    const problem = problemOf(entry, rule, { twice: taken.has(name), another: others.has(entry) });
    if (problem !== undefined) rejects.push({ ...problem, rule: rule?.id ?? '(type)', severity: 'entry' });
    else if (rule !== undefined) taken.set(name, { entry, rule, id });
  }
  return { taken: [...taken.values()], rejects };
}

/** A document is about one person, whom its Composition names: the Patients of it that are somebody else. */
function othersIn(document: TakenApart): ReadonlySet<Entry> {
  const subject = personOf(document).entry;
  const isDocument = compositionOf(document) !== undefined;
  return new Set(document.entries.filter((entry) => isDocument && entry.type === 'Patient' && entry !== subject));
}

function rulesOf(root: SourceNode, rules: readonly CompiledResource[]): Map<SourceNode, CompiledResource> {
  const found = new Map<SourceNode, CompiledResource>();
  for (const rule of rules) {
    for (const node of rule.each.flatMap((path) => select(root, path)))
      if (node.name === rule.resource && !found.has(node) && rule.when?.(node) !== false) found.set(node, rule);
  }
  return found;
}

/** A place and what is wrong there. */
type Problem = Pick<Reject, 'code' | 'path'>;

/** Why an entry is not taken; undefined where it is. */
function problemOf(
  { node, resource, problem }: Entry,
  rule: CompiledResource | undefined,
  is: { readonly twice: boolean; readonly another: boolean },
): Problem | undefined {
  const { path } = node;
  if (rule === undefined || problem !== undefined) return { code: problem ?? 'translate.resource-unread', path };
  const broken = brokenPlace(resource, path);
  if (broken !== undefined) return { code: 'fhir.resource-invalid', path: broken };
  const modifier = modifierPlace(resource, path);
  if (modifier !== undefined) return { code: 'translate.modifier-unknown', path: modifier };
  if (is.another) return { code: 'ingest.several-persons', path };
  return is.twice ? { code: 'translate.value-conflict', path } : undefined;
}

/** Elements of `meta` that speak of the copy at the foreign server, or claim a profile that nobody here has checked: carried. */
const notCopied: ReadonlySet<string> = new Set(['profile', 'versionId', 'lastUpdated']);

function outcomeOf(one: Taken, work: Work): Outcome {
  const { entry, rule } = one;
  const none = { draft: undefined, findings: [], questions: [], named: new Set<Entry>() };
  const refused = (code: ErrorCode, path: string): Outcome => ({ ...none, rejects: [{ code, path, rule: rule.id, severity: 'entry' }] });
  const another = isOfAnother(entry, work.person, work.addresses);
  if (another !== undefined) return refused('translate.reference-open', another);
  try {
    const whole = drawn(one, work, new Set());
    const wrong = work.job.judge(whole.draft?.resource as FhirResource);
    if (wrong.length === 0) return whole;
    return withoutParts(one, work, wrong) ?? refused('fhir.resource-invalid', placeIn(entry, wrong[0]));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ...none, rejects: [{ ...error.finding, severity: 'entry' }] };
  }
}

/**
 * Where only the narrative is wrong (it is active, or no XHTML), or a contained resource to which nothing refers, these are carried, and the rest is
 * taken.
 */
function withoutParts(one: Taken, work: Work, wrong: readonly string[]): Outcome | undefined {
  const places = new Set(wrong.map((place) => partOf(one.entry, place)));
  if (places.has(undefined)) return undefined;
  const rest = drawn(one, work, places as ReadonlySet<string>);
  const resource = rest.draft?.resource;
  if (resource === undefined || work.job.judge(resource).length > 0) return undefined;
  const findings = wrong.map((place) => ({ code: 'fhir.resource-invalid', path: placeIn(one.entry, place), rule: one.rule.id }) as const);
  return { ...rest, findings: [...rest.findings, ...findings] };
}

/** The part of an entry, by its place in the document, that may be left out for what is wrong at `place`. */
function partOf({ node, type, resource }: Entry, place: string): string | undefined {
  if (place.startsWith(`${type}.text`)) return resource['text'] === undefined ? undefined : `${node.path}.text`;
  const [, index] = /^[A-Za-z]+\.contained\[(\d+)\]/.exec(place) ?? [];
  const { contained } = resource;
  const part = index !== undefined && Array.isArray(contained) ? contained[Number(index)] : undefined;
  if (!isFhirObject(part) || typeof part['id'] !== 'string') return undefined;
  return toFhirJson(resource).includes(`"#${part['id']}"`) ? undefined : `${node.path}.contained[${index ?? ''}]`;
}

/** `Observation.status` as the document's own place. */
const placeIn = ({ node, type }: Entry, place = ''): string =>
  place === type || place.startsWith(`${type}.`) ? `${node.path}${place.slice(type.length)}` : node.path;

/** `left`: places of the document that are carried. */
function drawn({ entry, rule, id }: Taken, work: Work, left: ReadonlySet<string>): Outcome {
  const build = new BuildJob(work.job.set, new InstanceIndex([]), work.job.facts);
  const { findings, questions } = build;
  const named = new Set<Entry>();
  const marks: Mark[] = [];
  const leaves = new Map(entry.node.leaves().map((leaf) => [leaf.path, leaf]));
  const rewrite: CopyJob['rewrite'] = (reference, at, hasIdentifier) => {
    const target = rewritten(reference, entry, hasIdentifier, work);
    if (target.entry !== undefined) named.add(target.entry);
    if (target.open) findings.push({ code: 'translate.reference-open', path: at.path, rule: rule.id });
    return target.now;
  };
  const unfit = (path: string): void => void findings.push({ code: 'fhir.resource-invalid', path, rule: rule.id });
  const resource = copyOf(entry, id, { entry, rule: rule.id, leaves, left, rewrite, marks, unfit });
  const coded = bound({ resource, marks }, rule, build);
  const instance = { rule, node: entry.node, id };
  const draft: Draft = { resource: coded.resource as FhirResource, marks: coded.marks, instance, mention: false };
  return { draft: checkedDraft(draft, (one) => void findings.push(one)), rejects: [], findings, questions, named };
}

function copyOf(entry: Entry, id: string, job: CopyJob): FhirResource {
  const { resourceType: _type, id: _id, meta, text, ...elements } = entry.resource;
  const { path } = entry.node;
  const type = job.leaves.get(`${path}.resourceType`);
  if (type !== undefined) job.marks.push({ kind: 'source', path: 'resourceType', rule: job.rule, from: [type] });
  const kept = metaOf(meta);
  const parts = {
    ...(kept !== undefined && { meta: copied(kept, `${path}.meta`, job) }),
    ...(text !== undefined && !job.left.has(`${path}.text`) && { text: copied(text, `${path}.text`, job) }),
    ...(copied(elements, path, job) as FhirObject),
  };
  return { resourceType: entry.type, id, ...parts } as FhirResource;
}

function metaOf(meta: Entry['resource'][string] | undefined): Entry['resource'] | undefined {
  if (typeof meta !== 'object' || Array.isArray(meta)) return undefined;
  const kept = Object.entries(meta).filter(([name]) => !notCopied.has(name.replace(/^_/, '')));
  return kept.length === 0 ? undefined : Object.fromEntries<FhirValue>(kept);
}

interface Target {
  readonly now: Rewritten;
  readonly entry?: Entry;
  readonly open: boolean;
}

function rewritten(reference: string, from: Entry, hasIdentifier: boolean, { addresses, standing }: Work): Target {
  if (reference.startsWith('#')) return { now: { kind: 'reference', text: reference, same: true }, open: false };
  const target = addresses.find(reference, from);
  const found = target === undefined ? undefined : standing.get(target);
  if (target !== undefined && found !== undefined)
    return { now: { kind: 'reference', text: `${target.type}/${found.id}`, same: false }, entry: target, open: false };
  return { now: hasIdentifier ? { kind: 'none' } : identifierFor(reference, from, addresses), open: true };
}
