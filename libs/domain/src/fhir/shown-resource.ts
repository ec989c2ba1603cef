import { PortolanError } from '@portolan/contracts';
import { fromFhirJson, isFhirObject, toFhirJson, type FhirObject } from '@portolan/formats';

/** Code system of the tags that this node sets on what it shows. */
export const TAG_SYSTEM = 'urn:portolan:tag';

/** A resource text as a tree that keeps its digits; for texts that were checked when they were stored. */
export function treeOf(text: string): FhirObject {
  const tree = fromFhirJson(text);
  if (!isFhirObject(tree)) throw new PortolanError('fhir.json-invalid', 'a stored resource');
  return tree;
}

const metaOf = (tree: FhirObject): FhirObject => (isFhirObject(tree['meta']) ? tree['meta'] : {});

/** The text with `meta.versionId` and `meta.lastUpdated` as the store knows them (R4 §3.1.0.2); digits stay. */
export function withVersion(text: string, versionId: number, lastUpdated: string): string {
  const tree = treeOf(text);
  const { resourceType = '', id = '', meta: _meta, ...rest } = tree;
  const meta = { ...metaOf(tree), versionId: String(versionId), lastUpdated };
  return toFhirJson({ resourceType, id, meta, ...rest });
}

/** The text with further tags of `TAG_SYSTEM` in its meta. */
export function withTags(text: string, codes: readonly string[]): string {
  const tree = treeOf(text);
  const meta = metaOf(tree);
  const tags = Array.isArray(meta['tag']) ? meta['tag'] : [];
  return toFhirJson({ ...tree, meta: { ...meta, tag: [...tags, ...codes.map((code) => ({ system: TAG_SYSTEM, code }))] } });
}
