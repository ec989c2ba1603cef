import { sourcesOf, type BackOriginal } from '../restore.js';
import type { XmlElement } from './xml.js';

/** What the new document says of itself, whatever the original said. */
const own = /^ClinicalDocument\/(typeId|templateId|realmCode)(\[|\/)|\/templateId(\[\d+\])?\/|\/@xsi:schemaLocation$/;
const inNarrative = /\/section\/text(\[\d+\])?\//;

/**
 * Puts what was carried of the original back where it stood: into the elements made of the same ones of the source, with the elements between made anew;
 * what is written stays, but for the map's own words. Answers with the places that found none again.
 */
export function restoredDocument(root: XmlElement, original: BackOriginal): string[] {
  const elements = elementsOf(root, original);
  const texts = (path: string): boolean => path.includes('/#text');
  const carried = original.carried.filter(({ path }) => !own.test(path));
  const inOrder = [...carried.filter(({ path }) => texts(path)), ...carried.filter(({ path }) => !texts(path))];
  const lost = inOrder.filter(({ path, value }) => !put(path, value, elements));
  return [...lost.map(({ path }) => path), ...original.carried.filter(({ path }) => own.test(path)).map(({ path }) => path)];
}

/** Path of an element of the original → the element that was made of it. */
function elementsOf(root: XmlElement, original: BackOriginal): Map<string, XmlElement> {
  const sources = sourcesOf(original);
  const found = new Map<string, XmlElement>([['ClinicalDocument', root]]);
  const taken = new Set<XmlElement>([root]);
  for (const [element, , { used }] of root.texts()) {
    for (const source of used.flatMap(({ path }) => sources.get(path) ?? [])) pair(element, parentOf(source), found, taken);
  }
  return found;
}

/** Pairs an element and those around it with those of the original, as long as they have the same names. */
function pair(element: XmlElement, path: string, found: Map<string, XmlElement>, taken: Set<XmlElement>): void {
  let at: XmlElement | undefined = element;
  let place = path;
  while (at !== undefined && nameOf(place) === at.name && !found.has(place) && !taken.has(at)) {
    found.set(place, at);
    taken.add(at);
    [at, place] = [at.parent, parentOf(place)];
  }
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const nameOf = (path: string): string => lastOf(path).replace(/\[\d+\]$/, '');

function put(path: string, value: string, elements: Map<string, XmlElement>): boolean {
  const place = nameOf(path);
  // A second piece of text in one element has no place of its own.
  if (place !== lastOf(path)) return false;
  const element = elementAt(parentOf(path), elements, !(inNarrative.test(path) && place !== '#text'));
  return element !== undefined && putAt(element, place, value);
}

function putAt(element: XmlElement, place: string, value: string): boolean {
  const there = place === '#text' ? element.text : element.attributes.get(place);
  if (there?.text === value) return true;
  if (there?.made === false || (place === '@nullFlavor' && element.worthIt)) return false;
  if (element.attributes.get('@nullFlavor')?.made) element.attributes.delete('@nullFlavor');
  element.set(place, { text: value, used: [], made: false });
  return true;
}

function elementAt(path: string, elements: Map<string, XmlElement>, may: boolean): XmlElement | undefined {
  const found = elements.get(path);
  if (found !== undefined || path === '' || !may) return found;
  const parent = elementAt(parentOf(path), elements, may);
  if (parent === undefined) return undefined;
  const made = aloneIn(parent, path, elements) ?? parent.add(nameOf(path));
  elements.set(path, made);
  return made;
}

/** The one element of that name that the map itself has put there, where nothing else was made of it. */
function aloneIn(parent: XmlElement, path: string, elements: Map<string, XmlElement>): XmlElement | undefined {
  const name = nameOf(path);
  const there = parent.children.filter((child) => child.name === name);
  const [only] = there;
  if (there.length !== 1 || name !== lastOf(path) || only === undefined || name === 'text') return undefined;
  return [...elements.values()].includes(only) ? undefined : only;
}
