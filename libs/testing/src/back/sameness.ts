import { isFhirObject, toFhirJson, type FhirResource, type FhirValue } from '@portolan/formats';

/** What names a resource, when it was stored and what it says in words of a narrative: made anew by whoever writes a document. */
const NAMES = new Set(['id', 'meta', 'text']);

type Leaves = ReadonlyMap<string, string>;

/** Path → value of each leaf of a resource, `Observation.component[1].valueQuantity.value`. A reference counts as what it leads to. */
function leavesOf(resource: FhirResource, all: ReadonlyMap<string, FhirResource>): Leaves {
  const found = new Map<string, string>();
  const walk = (value: FhirValue, path: string): void => {
    if (Array.isArray(value)) value.forEach((one, i) => walk(one, `${path}[${i}]`));
    else if (!isFhirObject(value)) found.set(path, path.endsWith('.reference') ? targetOf(value, all) : toFhirJson(value));
    else for (const [name, one] of Object.entries(value)) walk(one, `${path}.${name}`);
  };
  for (const [name, one] of Object.entries(resource)) if (!NAMES.has(name)) walk(one, `${resource.resourceType}.${name}`);
  return found;
}

/** The type of what is referred to, with its code or name: ids are others after the way there and back. */
function targetOf(reference: FhirValue, all: ReadonlyMap<string, FhirResource>): string {
  const id = typeof reference === 'string' ? reference.replace(/^.*[/:]/, '') : '';
  const target = all.get(id);
  return target === undefined ? 'nothing' : `${target.resourceType} ${calledAs(target)}`;
}

const calledAs = ({ code, name }: FhirResource): string =>
  /"(?:code|family)":"[^"]*"|^".*"$/.exec(toFhirJson(code ?? name ?? ''))?.[0] ?? '';

/** Pairs of resources that are most alike, those that have no counterpart with undefined. */
function paired(
  before: readonly FhirResource[],
  after: readonly FhirResource[],
): readonly (readonly [Leaves | undefined, Leaves | undefined])[] {
  const leaves = (list: readonly FhirResource[]): Leaves[] => {
    const all = new Map(list.map((one) => [one.id, one]));
    return list.map((one) => leavesOf(one, all));
  };
  const [left, right] = [new Set(leaves(before)), new Set(leaves(after))];
  const type = (one: Leaves): string | undefined => one.get([...one.keys()].find((path) => path.endsWith('.resourceType')) ?? '');
  const scores = [...left].flatMap((a) => [...right].filter((b) => type(a) === type(b)).map((b) => ({ a, b, score: alike(a, b) })));
  const pairs: [Leaves | undefined, Leaves | undefined][] = [];
  for (const { a, b, score } of scores.toSorted((x, y) => y.score - x.score)) {
    if (score <= 1 || !left.has(a) || !right.has(b)) continue;
    pairs.push([a, b]);
    left.delete(a);
    right.delete(b);
  }
  return [...pairs, ...[...left].map((a) => [a, undefined] as const), ...[...right].map((b) => [undefined, b] as const)];
}

const alike = (a: Leaves, b: Leaves): number => [...a].filter(([path, value]) => b.get(path) === value).length;

const how = (before: string | undefined, after: string | undefined): string =>
  before === undefined ? 'new' : after === undefined ? 'gone' : 'other';

/**
 * What is not the same, by path and how: `Observation.valueQuantity.unit other`, without the numbers of a list, once for all resources; `Specimen gone` and
 * `Specimen new` where a resource has no counterpart.
 */
export function differences(before: readonly FhirResource[], after: readonly FhirResource[]): readonly string[] {
  const found = paired(before, after).flatMap(([a, b]) => {
    const type = String([...(a ?? b ?? [])][0]?.[0]).replace(/\..*/, '');
    if (a === undefined) return [`${type} new`];
    return b === undefined ? [`${type} gone`] : between(a, b);
  });
  return [...new Set(found)].toSorted();
}

function between(a: Leaves, b: Leaves): string[] {
  const paths = [...new Set([...a.keys(), ...b.keys()])].filter((path) => a.get(path) !== b.get(path));
  return paths.map((path) => `${path.replaceAll(/\[\d+\]/g, '')} ${how(a.get(path), b.get(path))}`);
}
