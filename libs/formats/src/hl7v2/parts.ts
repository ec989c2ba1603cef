import { SourceNode, textLeaf } from '../engine/index.js';

/** Types of OBX-2 whose values FHIR can say of a part (`OBX-value` of the maps). */
const partTypes = new Set(['NM', 'SN', 'NR', 'ST', 'TX', 'CE', 'CWE', 'CNE', 'DT', 'DTM', 'TS', 'TM', 'DR']);
/** What a part may say besides that: its number, code, place, unit, range and flags. */
const ownFields = new Set(['1', '2', '3', '4', '5', '6', '7', '8']);
/** What it must have in common with the whole, since FHIR says it of the whole alone: status, time, producer, who observed. */
const sharedFields = ['11', '14', '15', '16'];

/**
 * Puts the parts of a result into it (`OBSERVATION/PART`): an OBX without a value whose sub-id is `1`, and those behind it whose sub-ids are `1.1`, `1.2` … (HL7 v2.5.1
 * §7.4.2.4), as a blood pressure is sent. A part that says of itself what the whole does not, such as a correction or a note, stays a result of its own.
 */
export function withParts(children: SourceNode[]): SourceNode[] {
  if (!children.some((child) => subIdOfWhole(child) !== undefined)) return children;
  const found: SourceNode[] = [];
  for (let i = 0; i < children.length;) {
    const [whole, ...rest] = children.slice(i, i + 1 + partsBehind(children, i));
    if (whole !== undefined) found.push(rest.length === 0 ? whole : joined(whole, rest));
    i += 1 + rest.length;
  }
  return found;
}

const joined = (whole: SourceNode, parts: readonly SourceNode[]): SourceNode =>
  SourceNode.branch(whole.name, whole.path, [
    ...whole.children,
    ...parts.map(({ path, children }) => SourceNode.branch('PART', path, children)),
  ]);

function partsBehind(children: readonly SourceNode[], at: number): number {
  const whole = children[at];
  const subId = whole && subIdOfWhole(whole);
  if (whole === undefined || subId === undefined) return 0;
  let count = 0;
  for (let part = children[at + 1]; part !== undefined && isPart(part, whole, subId); part = children[at + 1 + count]) count += 1;
  return count;
}

const textOf = (observation: SourceNode, field: string): string =>
  (observation.named('OBX')[0]?.named(field) ?? [])
    .flatMap((one) => one.leaves())
    .map(({ value }) => value)
    .join('\n');

function subIdOfWhole(node: SourceNode): string | undefined {
  if (node.name !== 'OBSERVATION' || textOf(node, '5') !== '') return undefined;
  const [subId] = node.named('OBX')[0]?.named('4') ?? [];
  return subId && textLeaf(subId)?.value;
}

function isPart(node: SourceNode, whole: SourceNode, subId: string): boolean {
  const [obx, ...more] = node.children;
  if (node.name !== 'OBSERVATION' || obx === undefined || more.length > 0) return false;
  const own = textOf(node, '4');
  return (
    own.startsWith(`${subId}.`) &&
    /^\d+$/.test(own.slice(subId.length + 1)) &&
    obx.named('3').length > 0 &&
    obx.named('5').length === 1 &&
    partTypes.has(textOf(node, '2')) &&
    obx.children.every(({ name }) => ownFields.has(name) || sharedFields.includes(name)) &&
    sharedFields.every((field) => textOf(node, field) === textOf(whole, field))
  );
}
