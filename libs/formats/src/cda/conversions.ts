import {
  DecimalText,
  textLeaf,
  type Conversion,
  type ConversionContext,
  type FhirObject,
  type Origin,
  type SourceNode,
} from '../engine/index.js';
import { isUcum } from '../terminology/ucum.js';
import { sectionNarrative } from './narrative.js';
import { OID, URI, URI_ROOT, UUID } from './instance-ids.js';

const attribute = (node: SourceNode, name: string): SourceNode | undefined => {
  const leaf = node.named(`@${name}`)[0];
  return leaf?.value === undefined || leaf.value === '' ? undefined : leaf;
};

/** The object identifier of a code system as URI: the country's name for it first, then the well-known ones, else `urn:oid:`. */
const codeSystem: Conversion = (node, context) => {
  const leaf = textLeaf(node);
  const oid = leaf?.value?.trim() ?? '';
  if (leaf === undefined || oid === '') return undefined;
  const uri = codeSystemUri(oid, context) ?? namedSystem(oid, node);
  return uri === undefined ? { problem: 'translate.code-unmapped', at: leaf } : { value: uri, origins: [{ path: '', from: [leaf] }] };
};

function codeSystemUri(oid: string, context: ConversionContext): string | undefined {
  const known = context.codingSystems.get(oid) ?? context.conceptMaps.get('cda-code-systems')?.translate(undefined, oid)?.code;
  return known ?? tableUri(oid) ?? (OID.test(oid) ? `urn:oid:${oid}` : undefined);
}

/** Tables of HL7 v2: 2.16.840.1.113883.12.78 is 0078 (HL7 OID registry, arc 12). */
function tableUri(oid: string): string | undefined {
  const number = /^2\.16\.840\.1\.113883\.12\.(\d{1,4})$/.exec(oid)?.[1];
  return number === undefined ? undefined : `http://terminology.hl7.org/CodeSystem/v2-${number.padStart(4, '0')}`;
}

/** A code system that has no object identifier stands under a UUID, with its URI as its name: so the way back writes it. */
function namedSystem(uuid: string, at: SourceNode): string | undefined {
  const name = at.parent?.named('@codeSystemName')[0]?.value?.trim() ?? '';
  return UUID.test(uuid) && URI.test(name) ? name : undefined;
}

/** Who assigns an identifier, from the root of an instance identifier (HL7 v3 II). */
function assigner(root: string, context: ConversionContext): string | undefined {
  return context.assigningAuthorities.get(root) ?? uriOf(root);
}

function uriOf(root: string): string | undefined {
  if (OID.test(root)) return `urn:oid:${root}`;
  return UUID.test(root) ? `urn:uuid:${root.toLowerCase()}` : undefined;
}

/** HL7 v3 II as FHIR Identifier: root and extension, a root that identifies by itself, or a URI. */
const identifier: Conversion = (node, context) => {
  const [root, extension] = [attribute(node, 'root'), attribute(node, 'extension')];
  if (root?.value === undefined) return undefined;
  if (root.value === URI_ROOT && extension !== undefined) return uriIdentifier(root, extension, attribute(node, 'assigningAuthorityName'));
  const value: FhirObject = {};
  const system = assigner(root.value, context);
  if (system === undefined) return { problem: 'translate.value-invalid', at: root };
  if (extension?.value === undefined) {
    Object.assign(value, { system: 'urn:ietf:rfc:3986', value: system });
    return { value, origins: [{ path: 'value', from: [root] }] };
  }
  Object.assign(value, { system, value: extension.value.trim() });
  const origins: Origin[] = [
    { path: 'system', from: [root] },
    { path: 'value', from: [extension] },
  ];
  return { value, origins };
};

/** A URI is the identifier; where it begins with the name of who assigns it, the rest is the value (C-CDA on FHIR, "id ↔ identifier"). */
function uriIdentifier(root: SourceNode, extension: SourceNode, assigner: SourceNode | undefined): ReturnType<Conversion> {
  const uri = extension.value?.trim() ?? '';
  const value = assigner?.value === undefined ? undefined : valueIn(uri, assigner.value);
  if (assigner?.value === undefined || value === undefined) {
    return { value: { system: 'urn:ietf:rfc:3986', value: uri }, origins: [{ path: '', from: [root, extension] }] };
  }
  const origins: Origin[] = [
    { path: 'system', from: [root, assigner] },
    { path: 'value', from: [extension] },
  ];
  return { value: { system: assigner.value, value }, origins };
}

function valueIn(uri: string, system: string): string | undefined {
  const rest = uri.startsWith(system) ? /^[/:](.+)$/.exec(uri.slice(system.length))?.[1] : undefined;
  try {
    return rest === undefined ? undefined : decodeURIComponent(rest);
  } catch {
    return undefined;
  }
}

/** All text at and below a node, white space collapsed. */
function wholeText(node: SourceNode): { text: string; leaves: SourceNode[] } {
  const leaves = node.leaves().filter((leaf) => leaf.name === '#text');
  const text = leaves.map((leaf) => leaf.value ?? '').join(' ');
  return { text: text.replace(/\s+/g, ' ').trim(), leaves };
}

/** Text of an element, or of the piece of narrative that its `reference` points to (CDA R2 §4.3.5.1), in the same section. */
const narrativeText: Conversion = (node) => {
  const own = wholeText(node);
  if (own.text !== '') return { value: own.text, origins: [{ path: '', from: own.leaves }] };
  const pointer = [...node.named('reference'), ...node.named('pharm:reference')].map((one) => attribute(one, 'value'))[0];
  const id = pointer?.value?.replace(/^#/, '');
  if (pointer === undefined || id === undefined || id === '') return undefined;
  const target = sectionText(node).flatMap((text) => withId(text, id))[0];
  const { text, leaves } = target === undefined ? { text: '', leaves: [] } : wholeText(target);
  return text === ''
    ? { problem: 'translate.value-invalid', at: pointer }
    : { value: text, origins: [{ path: '', from: [pointer, ...leaves] }] };
};

function sectionText(node: SourceNode): readonly SourceNode[] {
  const section = node.ancestry().find((ancestor) => ancestor.name === 'section');
  return section?.named('text') ?? [];
}

/** The first element at or below `node` that bears the ID. */
function withId(node: SourceNode, id: string): SourceNode[] {
  const open = [node];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.named('@ID')[0]?.value === id) return [at];
    for (const child of at.children.toReversed()) if (child.value === undefined) open.push(child);
  }
  return [];
}

/** Family names of an HL7 v3 name, joined as they stand: FHIR has room for one text. */
const family: Conversion = (node) => {
  const parts = node
    .named('family')
    .map(wholeText)
    .filter(({ text }) => text !== '');
  if (parts.length === 0) return undefined;
  return { value: parts.map(({ text }) => text).join(' '), origins: [{ path: '', from: parts.flatMap(({ leaves }) => leaves) }] };
};

/** HL7 v3 TEL (a URL) as the system and value of a FHIR ContactPoint. */
const telecom: Conversion = (node, context) => {
  const leaf = attribute(node, 'value');
  if (leaf?.value === undefined) return undefined;
  const value = contactPoint(leaf.value.trim(), context);
  return value === undefined ? { problem: 'translate.value-invalid', at: leaf } : { value, origins: [{ path: 'value', from: [leaf] }] };
};

/** Senders leave the scheme out where it is a number, though TEL is a URL. */
const bareNumber = /^\+?[\d\s().-]{5,40}$/;

function contactPoint(url: string, context: ConversionContext): FhirObject | undefined {
  if (bareNumber.test(url)) return { system: 'phone', value: url };
  const [, scheme = '', rest = ''] = /^([a-z]{2,8}):(.+)$/i.exec(url) ?? [];
  const system = context.conceptMaps.get('cda-telecom-systems')?.translate(undefined, scheme.toLowerCase())?.code;
  if (system === undefined) return undefined;
  return { system, value: system === 'url' ? url : rest.replace(/^\/\//, '').trim() };
}

/** Unit of an HL7 v3 PQ. It should be UCUM, and bears system and code where it is; another is kept as text and told. */
const ucumUnit: Conversion = (node, context) => {
  const leaf = textLeaf(node);
  const unit = leaf?.value?.trim() ?? '';
  if (leaf === undefined || unit === '') return undefined;
  const isUnit = isUcum(unit);
  if (!isUnit) context.note('translate.code-unmapped', leaf);
  const value: FhirObject = isUnit ? { unit, system: 'http://unitsofmeasure.org', code: unit } : { unit };
  return { value, origins: [{ path: 'unit', from: [leaf] }] };
};

/** So many hours between two doses where the times are for whoever gives them (HL7 v3 PIVL, institutionSpecified): "three times a day", and not "every eight hours". */
const timesADay: Conversion = (node) => {
  const [hours] = node.named('period').flatMap((period) => attribute(period, 'value') ?? []);
  const unit = node.named('period')[0]?.named('@unit')[0];
  if (hours?.value === undefined || unit === undefined) return undefined;
  if (!/^\d{1,4}(\.\d{1,4})?$/.test(hours.value)) return { problem: 'translate.value-invalid', at: hours };
  const times = 24 / Number(hours.value);
  const even = Number.isInteger(times);
  const value: FhirObject = even
    ? { frequency: times, period: new DecimalText('1'), periodUnit: 'd' }
    : { frequency: 1, period: new DecimalText(hours.value), periodUnit: 'h' };
  const origins: Origin[] = [
    { path: even ? 'frequency' : 'period', from: [hours] },
    { path: 'periodUnit', from: [unit] },
  ];
  return { value, origins };
};

/** Base64 as it stands, without the white space between its lines. */
const base64: Conversion = (node) => {
  const leaf = textLeaf(node);
  const text = leaf?.value?.replace(/\s+/g, '') ?? '';
  if (leaf === undefined || text === '') return undefined;
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  return isBase64 ? { value: text, origins: [{ path: '', from: [leaf] }] } : { problem: 'translate.value-invalid', at: leaf };
};

/** Conversions that only CDA needs. */
export const cdaConversions: Readonly<Record<string, Conversion>> = {
  base64,
  'code-system': codeSystem,
  'instance-identifier': identifier,
  'narrative-text': narrativeText,
  'section-narrative': sectionNarrative,
  'family-names': family,
  telecom,
  'times-a-day': timesADay,
  'ucum-unit': ucumUnit,
};
