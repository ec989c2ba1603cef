import { isFhirObject, toFhirJson, type FhirObject } from '@portolan/formats';
import { treeOf } from '../fhir/shown-resource.js';
import { withReadersParts, type Find } from './readers-part.js';
import { unworded, worded, type ReadersWords } from './readers-words.js';

/**
 * A foreign resource as it is shown to a reader: its codings say besides what they are called in her language, and a document's narrative has a
 * part in it, made of codes alone. Made when it is read: what was sealed, signed and anchored stays as it is. `find` follows a reference of a
 * Composition that is read by itself.
 */
export function inReadersWords(text: string, words: ReadersWords, find: Find = () => undefined): string {
  const tree = treeOf(text);
  const shown = tree['resourceType'] === 'Bundle' ? withDocument(tree, words) : withParts(tree, words, find);
  return toFhirJson(worded(shown, words));
}

/** What a reader hands back of `item`, as a change of what it is and not of how it was shown to her. */
export function fromReadersWords(changed: FhirObject, item: FhirObject, words: ReadersWords): FhirObject {
  const back = unworded(changed, item, words);
  return isFhirObject(back) ? back : changed;
}

const withParts = (tree: FhirObject, words: ReadersWords, find: Find): FhirObject =>
  tree['resourceType'] === 'Composition' ? withReadersParts(tree, words, find) : tree;

function withDocument(bundle: FhirObject, words: ReadersWords): FhirObject {
  if (!Array.isArray(bundle['entry'])) return bundle;
  const byUrl = new Map(
    bundle['entry'].filter(isFhirObject).flatMap(({ fullUrl, resource }): [string, FhirObject][] => {
      return typeof fullUrl === 'string' && isFhirObject(resource) ? [[fullUrl, resource]] : [];
    }),
  );
  const entry = bundle['entry'].map((one) =>
    isFhirObject(one) && isFhirObject(one['resource'])
      ? { ...one, resource: withParts(one['resource'], words, (reference) => byUrl.get(reference)) }
      : one,
  );
  return { ...bundle, entry };
}
