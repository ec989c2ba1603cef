import { SourceNode } from '../engine/index.js';

/**
 * KMEHR lets a transaction put its items under headings (`heading`, also one in another), which only say under which title they are shown. Here items
 * stand in their transaction, wherever it has them, so that none is lost to a rule; the leaves keep their paths, and a heading its title.
 */
export function withoutHeadings(root: SourceNode): SourceNode {
  if (root.everywhere('heading').length === 0) return root;
  const children = root.children.flatMap((child) =>
    root.name === 'transaction' && child.name === 'heading' ? [titleOf(child), ...itemsIn(child)] : [withoutHeadings(child)],
  );
  return SourceNode.branch(root.name, root.path, children);
}

const titleOf = (heading: SourceNode): SourceNode =>
  SourceNode.branch(
    heading.name,
    heading.path,
    heading.children.flatMap((child) => (child.name === 'item' ? [] : [child.name === 'heading' ? titleOf(child) : child])),
  );

const itemsIn = (heading: SourceNode): SourceNode[] =>
  heading.children.flatMap((child) => (child.name === 'heading' ? itemsIn(child) : child.name === 'item' ? [child] : []));
