import type { Conversion, SourceNode } from '../engine/index.js';

/** What stands in a line of its own in the narrative of a section (CDA R2 §4.3.5). */
const blocks: ReadonlySet<string> = new Set(['paragraph', 'item', 'caption', 'tr', 'text']);

/** The piece of the narrative that a text of it stands in. */
function blockOf(leaf: SourceNode): SourceNode {
  let at = leaf;
  while (at.parent !== undefined && !blocks.has(at.name)) at = at.parent;
  return at;
}

/** The texts of a narrative by their lines, as they follow each other. */
function linesOf(leaves: readonly SourceNode[]): string[] {
  const lines: { readonly block: SourceNode; text: string }[] = [];
  for (const leaf of leaves) {
    const block = blockOf(leaf);
    const last = lines.at(-1);
    if (last?.block === block) last.text += ` ${leaf.value ?? ''}`;
    else lines.push({ block, text: leaf.value ?? '' });
  }
  return lines.map(({ text }) => text.replace(/\s+/g, ' ').trim()).filter((text) => text !== '');
}

const textsOf = (node: SourceNode): SourceNode[] => node.leaves().filter(({ name }) => name === '#text');

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/**
 * The words of a section's narrative, a line a paragraph; of a section without any its title or the name of its code, since FHIR wants a text of a
 * section that holds nothing (R4 Composition, cmp-1). Tables and styles are not taken over, so the narrative stays carried.
 */
export const sectionNarrative: Conversion = (section) => {
  const [text, title] = [section.named('text'), section.named('title')].map((all) => all.flatMap(textsOf));
  const names = section.named('code').flatMap((code) => code.named('@displayName'));
  for (const from of [text ?? [], title ?? [], names]) {
    const lines = linesOf(from);
    if (lines.length === 0) continue;
    const div = `<div xmlns="http://www.w3.org/1999/xhtml">${lines.map((line) => `<p>${escaped(line)}</p>`).join('')}</div>`;
    return { value: { status: 'additional', div }, origins: [{ path: 'div', from, partial: true }] };
  }
  return undefined;
};
