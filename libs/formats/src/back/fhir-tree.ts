import { DecimalText, isFhirObject, select, SourceNode, type FhirResource, type FhirValue, type SourcePathPlan } from '../engine/index.js';

/** Deepest nesting that is followed; what lies deeper is left out of the tree. */
const MAX_DEPTH = 32;

/** FHIR resources as a tree, so that the paths and conditions of the way in serve the way back too. */
export interface FhirTree {
  /** Its children are the resources, each named by its type. */
  readonly root: SourceNode;
  /** The resource that a reference such as `Patient/1` names, whatever address stands before it. */
  readonly target: (reference: string) => SourceNode | undefined;
  /** The resources of a type whose `path` refers to the node, in their order. */
  readonly referrers: (node: SourceNode, type: string, path: SourcePathPlan) => readonly SourceNode[];
}

/** Elements are children by name, lists are siblings; paths read `Patient/1#name[0].family`. */
export function fhirTree(resources: readonly FhirResource[]): FhirTree {
  const byName = new Map<string, SourceNode>();
  const children = resources.map((resource) => {
    const name = `${resource.resourceType}/${resource.id}`;
    const node = objectNode(resource.resourceType, `${name}#`, resource, 0);
    byName.set(name, node);
    return node;
  });
  const target = (reference: string): SourceNode | undefined => byName.get(reference.split('/').slice(-2).join('/'));
  const root = SourceNode.branch('Bundle', 'Bundle', children);
  const known = new Map<SourcePathPlan, ReadonlyMap<SourceNode, readonly SourceNode[]>>();
  const referrers = (node: SourceNode, type: string, path: SourcePathPlan): readonly SourceNode[] => {
    const found = known.get(path) ?? referrersOf(root.named(type), path, target);
    known.set(path, found);
    return found.get(node) ?? [];
  };
  return { root, target, referrers };
}

/** Each node that `path` of one of the resources refers to, with these resources. */
function referrersOf(resources: readonly SourceNode[], path: SourcePathPlan, target: FhirTree['target']): Map<SourceNode, SourceNode[]> {
  const found = new Map<SourceNode, SourceNode[]>();
  for (const resource of resources) {
    const named = new Set(select(resource, path).flatMap((one) => referred(one, target) ?? []));
    for (const node of named) found.set(node, [...(found.get(node) ?? []), resource]);
  }
  return found;
}

/** The resource that a Reference leads to. */
export function referred(node: SourceNode, target: FhirTree['target']): SourceNode | undefined {
  const [leaf] = node.named('reference');
  return leaf?.value === undefined ? undefined : target(leaf.value);
}

function objectNode(name: string, path: string, object: Readonly<Record<string, FhirValue>>, depth: number): SourceNode {
  const before = path.endsWith('#') ? path : `${path}.`;
  const children = Object.entries(object).flatMap(([key, value]) => nodesOf(key, `${before}${key}`, value, depth + 1));
  return SourceNode.branch(name, path, children);
}

function nodesOf(name: string, path: string, value: FhirValue | null, depth: number): SourceNode[] {
  if (value === null || depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((one, i) => nodesOf(name, `${path}[${i}]`, one, depth + 1));
  if (isFhirObject(value)) return [objectNode(name, path, value, depth)];
  return [SourceNode.leaf(name, path, value instanceof DecimalText ? value.text : String(value))];
}
