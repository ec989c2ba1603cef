import { hasValue } from './condition.js';
import type { CompiledResource } from './compile.js';
import type { MapSet } from './map-set.js';
import type { SourceNode } from './source-node.js';
import { PathFinder } from './source-path.js';
import { stableUuid, type Sha256Hex } from './stable-id.js';

/** One resource to be made: its rule, its node, its id. */
export interface Instance {
  readonly rule: CompiledResource;
  readonly node: SourceNode;
  readonly id: string;
}

export interface IdentityContext {
  readonly sha256: Sha256Hex;
  readonly country: string;
  /** The organisation that sent the document, as the document identifies it. */
  readonly organisation: string;
  readonly documentId: string;
  /** Id of the Patient whom the document is about, in place of the one that its identifiers give: whose it turned out to be. */
  readonly subject?: string;
}

/**
 * Finds every node that makes a resource and gives each its id: a hash of country, sending organisation, resource type and
 * business identifier. So the same document gives the same ids, a correction names what it corrects, and senders never
 * collide. Where the source has no business identifier the document's id and the position stand for it.
 */
export function findInstances(root: SourceNode, set: MapSet, identity: IdentityContext): { instances: Instance[]; index: InstanceIndex } {
  const instances: Instance[] = [];
  const index = new InstanceIndex();
  const used = new Map<string, number>();
  const paths = new PathFinder(root);
  for (const rule of set.resources) {
    for (const node of nodesOf(paths, rule)) {
      const key = [...parentKey(rule, node, index), ...businessKey(rule, node, identity.documentId)];
      const known = rule.rule.subject === true ? identity.subject : undefined;
      const instance = { rule, node, id: known ?? stableUuid(identity.sha256, numbered(rule, key, used, identity)) };
      instances.push(instance);
      index.add(instance);
    }
  }
  return { instances, index };
}

function nodesOf(paths: PathFinder, rule: CompiledResource): readonly SourceNode[] {
  const nodes = allOf(paths, rule);
  return nodes.length === 0 ? nodes : nodes.filter((node) => makes(rule, node));
}

const makes = ({ when }: CompiledResource, node: SourceNode): boolean => hasValue(node) && (when === undefined || when(node));

/** What the rule's paths find, each node once. Most find nothing, or are alone in what they find. */
function allOf(paths: PathFinder, { each }: CompiledResource): readonly SourceNode[] {
  let all: readonly SourceNode[] = NONE;
  for (const path of each) {
    const found = paths.find(path);
    if (found.length > 0) all = all.length === 0 ? found : [...all, ...found];
  }
  return all.length < 2 ? all : [...new Set(all)];
}

const NONE: readonly SourceNode[] = [];

function parentKey(rule: CompiledResource, node: SourceNode, index: InstanceIndex): string[] {
  return rule.rule.under === undefined ? [] : [index.nearest(rule.rule.under, node)?.id ?? ''];
}

function businessKey(rule: CompiledResource, node: SourceNode, documentId: string): string[] {
  for (const alternative of rule.key) {
    const texts = alternative.map((path) => textsAt(node, path));
    if (texts[0] !== undefined && texts[0] !== '') return businessParts(texts);
  }
  return ['document', documentId, rule.id];
}

/** The text at a path; of several values all of them. */
export function textsAt(node: SourceNode, path: CompiledResource['each'][number]): string {
  const texts: string[] = [];
  for (const found of path.find(node)) for (const leaf of found.leaves()) if (!leaf.explicitNull) texts.push(leaf.value ?? '');
  return texts.length === 1 ? (texts[0] ?? '') : texts.join('^');
}

const businessParts = (texts: readonly string[]): string[] => ['business', ...texts];

const idParts = (
  { country, organisation }: Pick<IdentityContext, 'country' | 'organisation'>,
  resource: string,
  key: readonly string[],
): string[] => [country, organisation, resource, ...key];

/** The id that documents of this sender give a resource by its business identifier. */
export const businessId = ({ sha256, country, organisation }: IdentityContext, resource: string, texts: readonly string[]): string =>
  stableUuid(sha256, idParts({ country, organisation }, resource, businessParts(texts)));

/** The parts of the id; where two nodes may share a key, or none has one, the second and later are numbered. */
function numbered(rule: CompiledResource, key: string[], used: Map<string, number>, identity: IdentityContext): string[] {
  const parts = idParts(identity, rule.resource, key);
  if (rule.rule.sameKey !== 'number' && key.includes('business')) return parts;
  const name = JSON.stringify(parts);
  const count = (used.get(name) ?? 0) + 1;
  used.set(name, count);
  return count === 1 ? parts : [...parts, `#${count}`];
}

/** Finds the instances of a rule by where they stand. */
export class InstanceIndex {
  /** rule → node → the instances made at or below it, in document order. */
  private readonly below = new Map<string, Map<SourceNode, Instance[]>>();

  constructor(instances: readonly Instance[] = []) {
    for (const instance of instances) this.add(instance);
  }

  add(instance: Instance): void {
    let rule = this.below.get(instance.rule.id);
    if (rule === undefined) {
      rule = new Map<SourceNode, Instance[]>();
      this.below.set(instance.rule.id, rule);
    }
    for (let node: SourceNode | undefined = instance.node; node !== undefined; node = node.parent) {
      const list = rule.get(node);
      if (list === undefined) rule.set(node, [instance]);
      else list.push(instance);
    }
  }

  /** Those made at or below `node`. */
  within(rule: string, node: SourceNode): readonly Instance[] {
    return this.below.get(rule)?.get(node) ?? [];
  }

  /** Those made of `node` itself. */
  here(rule: string, node: SourceNode): readonly Instance[] {
    const found = this.within(rule, node);
    return found.length === 0 ? found : found.filter((one) => one.node === node);
  }

  /** The one that shares the deepest ancestor with `node`; of equals the first. */
  nearest(rule: string, node: SourceNode): Instance | undefined {
    const nodes = this.below.get(rule);
    if (nodes === undefined) return undefined;
    for (let ancestor: SourceNode | undefined = node; ancestor !== undefined; ancestor = ancestor.parent) {
      const found = nodes.get(ancestor)?.[0];
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
