import { SourceNode } from '../engine/index.js';

/** Elements that say on which day a dose is taken. */
const days: ReadonlySet<string> = new Set(['daynumber', 'date', 'weekday']);

/**
 * KMEHR writes the doses of a `regimen` one after the other, each as an optional day, a `daytime` and a `quantity` (`regimenType`), without an
 * element around them. Here each becomes a branch `moment`, so that a rule sees what belongs together; the leaves keep their paths. A regimen in
 * which only some doses name a day stays as it is: whether the others are for each day, it does not say, and a dose too many is worse than none.
 */
export function withMoments(node: SourceNode): SourceNode {
  if (node.name === 'regimen') return inMoments(node);
  if (node.everywhere('regimen').length === 0) return node;
  return SourceNode.branch(node.name, node.path, node.children.map(withMoments));
}

function inMoments(regimen: SourceNode): SourceNode {
  const groups: SourceNode[][] = [];
  for (const child of regimen.children) {
    const last = groups.at(-1);
    if (last === undefined || begins(child, last)) groups.push([child]);
    else last.push(child);
  }
  const dated = groups.filter(hasDay).length;
  if (dated !== 0 && dated !== groups.length) return regimen;
  const moments = groups.map((group, i) => SourceNode.branch('moment', `${regimen.path}/moment[${i + 1}]`, group));
  return SourceNode.branch(regimen.name, regimen.path, moments);
}

const hasDay = (group: readonly SourceNode[]): boolean => group.some(({ name }) => days.has(name));

/** Whether a child is the first of the next dose: a day behind anything but a day, or a second time or amount. */
function begins({ name }: SourceNode, group: readonly SourceNode[]): boolean {
  const said = (one: string): boolean => group.some((child) => child.name === one);
  if (days.has(name)) return said('daytime') || said('quantity');
  return name === 'daytime' ? said('daytime') || said('quantity') : said(name);
}
