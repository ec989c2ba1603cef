import type { DocumentElement } from '@portolan/contracts';
import { stableUuid, textLeaf, type Sha256Hex, type SourceNode } from '../../engine/index.js';
import { OID, URI, URI_ROOT, UUID } from '../../cda/instance-ids.js';
import { compactTime } from '../conversions.js';
import type { DocumentNames } from './names.js';

/** What a conversion of the way back to a document may know. */
export interface DocumentContext {
  readonly names: DocumentNames;
  readonly sha256: Sha256Hex;
  /** When and as what the document is made: a FHIR dateTime, a UUID, a language tag, the maker's name. */
  readonly made: string;
  readonly documentId: string;
  readonly language: string;
  readonly software: string;
  /** Who keeps the document, where the bundle names nobody. */
  readonly custodian: { readonly root: string; readonly name: string };
  /** The rule that is at work, where it writes one text. */
  readonly rule?: DocumentElement;
}

/** A text that a conversion makes, where it stands in the element (`@code`, `#text`, `translation/@code`), and of which leaves. */
export interface Written {
  readonly to: string;
  readonly text: string;
  readonly used: readonly SourceNode[];
  /** The last element on the way is a new one. */
  readonly fresh?: boolean;
}

/** A node of the bundle as texts of an element; none where it cannot be said. */
export type DocumentConversion = (node: SourceNode, context: DocumentContext) => readonly Written[];

const leafAt = (node: SourceNode | undefined, ...names: readonly string[]): SourceNode | undefined => {
  let at = node;
  for (const name of names) at = at?.named(name)[0];
  return at === undefined ? undefined : textLeaf(at);
};

/** `text`, `map` and `values` of a rule. */
const text: DocumentConversion = (node, { names, rule }) => {
  const leaf = textLeaf(node);
  const value = leaf?.value;
  if (leaf === undefined || value === undefined) return [];
  const { values, map } = rule ?? {};
  const said =
    values === undefined
      ? map === undefined
        ? value
        : names.codeFor(map, value)
      : Object.hasOwn(values, value)
        ? values[value]
        : undefined;
  return said === undefined ? [] : [{ to: '#text', text: said, used: [leaf] }];
};

const ofText =
  (read: (value: string, context: DocumentContext) => string | undefined): DocumentConversion =>
  (node, context) => {
    const leaf = textLeaf(node);
    const said = leaf?.value === undefined ? undefined : read(leaf.value, context);
    return leaf === undefined || said === undefined ? [] : [{ to: '#text', text: said, used: [leaf] }];
  };

const own =
  (read: (context: DocumentContext) => string): DocumentConversion =>
  (_node, context) => [{ to: '#text', text: read(context), used: [] }];

interface Code {
  readonly coding: SourceNode;
  readonly code: SourceNode;
  readonly system: SourceNode | undefined;
  readonly called: SystemName | undefined;
}

function codesOf(node: SourceNode, context: DocumentContext): Code[] {
  const codings = node.named('coding').length === 0 && node.named('code').length > 0 ? [node] : node.named('coding');
  return codings.flatMap((coding) => {
    const [code, system] = [leafAt(coding, 'code'), leafAt(coding, 'system')];
    const called = system?.value === undefined ? undefined : systemName(system.value, context);
    return code === undefined || (system !== undefined && called === undefined) ? [] : [{ coding, code, system, called }];
  });
}

/** A code system as CDA names it: an object identifier or UUID, and what it is called. */
interface SystemName {
  readonly uid: string;
  readonly name: string | undefined;
}

/** A code system without an object identifier has a UUID made of its URI, which stands as its name; the way in reads it from there. */
function systemName(uri: string, { names, sha256 }: DocumentContext): SystemName | undefined {
  const oid = names.systemOid(uri);
  if (oid !== undefined) return { uid: oid, name: names.systemName(oid) };
  return URI.test(uri) ? { uid: stableUuid(sha256, ['code-system', uri]).toUpperCase(), name: uri } : undefined;
}

/** HL7 v3 CD of a CodeableConcept or Coding: what has a system is written, the first as the code, the others as translations; else null flavour OTH. */
const codes: DocumentConversion = (node, context) => {
  const found = codesOf(node, context);
  const there = node.named('coding').length > 0 || node.named('code').length > 0;
  if (found.length === 0) return there ? [{ to: '@nullFlavor', text: 'OTH', used: [] }] : [];
  return found.flatMap((code, i) => codingTexts(code, i === 0 ? '' : 'translation/'));
};

function codingTexts({ coding, code, system, called }: Code, before: string): Written[] {
  const written: Written[] = [{ to: `${before}@code`, text: code.value ?? '', used: [code], fresh: before !== '' }];
  const put = (to: string, leaf: SourceNode | undefined, said = leaf?.value): void => {
    if (leaf !== undefined && said !== undefined) written.push({ to: `${before}${to}`, text: said, used: [leaf] });
  };
  put('@codeSystem', system, called?.uid);
  if (called?.name !== undefined) written.push({ to: `${before}@codeSystemName`, text: called.name, used: [] });
  put('@codeSystemVersion', leafAt(coding, 'version'));
  put('@displayName', leafAt(coding, 'display'));
  return written;
}

/** The code with its text; where no code can be said, the words of one that was left out stand as its text. */
const concept: DocumentConversion = (node, context) => {
  const written = codes(node, context);
  const words = leafAt(node, 'text') ?? (written.some(({ to }) => to === '@code') ? undefined : leafAt(node.named('coding')[0], 'display'));
  const said = words?.value === undefined ? [] : [{ to: 'originalText/#text', text: words.value, used: [words] }];
  return written.length === 0 && said.length > 0 ? [{ to: '@nullFlavor', text: 'OTH', used: [] }, ...said] : [...written, ...said];
};

/** Root of an instance identifier; HL7 v3 compares it letter by letter and wants the digits of a UUID as capitals (Abstract Data Types, UUID). */
const rootOf = (uri: string): string | undefined => {
  const id = uri.replace(/^urn:(oid|uuid):/, '');
  if (id === uri) return undefined;
  return OID.test(id) ? id : UUID.test(id) ? id.toUpperCase() : undefined;
};

/**
 * HL7 v3 II of an Identifier. Where its system is neither object identifier nor UUID, the URI of both (C-CDA on FHIR, "id ↔ identifier": system, a slash, the
 * value), with the system as the assigning authority's name, so that the way in can part them again.
 */
const instance: DocumentConversion = (node, { names }) => {
  const [system, value] = [leafAt(node, 'system'), leafAt(node, 'value')];
  if (system?.value === undefined || value?.value === undefined) return [];
  if (system.value === 'urn:ietf:rfc:3986') return uriAlone(system, value);
  const root = names.authorityRoot(system.value) ?? rootOf(system.value);
  if (root === undefined) return uriOfBoth(system, value);
  return [
    { to: '@root', text: root, used: [system] },
    { to: '@extension', text: value.value, used: [value] },
  ];
};

function uriAlone(system: SourceNode, value: SourceNode): Written[] {
  const uri = value.value ?? '';
  const alone = rootOf(uri);
  if (alone !== undefined) return [{ to: '@root', text: alone, used: [system, value] }];
  return [
    { to: '@root', text: URI_ROOT, used: [system] },
    { to: '@extension', text: uri, used: [value] },
  ];
}

/** The value is escaped as a part of a URI (RFC 3986 §2.1); below a URN it follows a colon. */
function uriOfBoth(system: SourceNode, value: SourceNode): Written[] {
  const uri = system.value ?? '';
  if (!URI.test(uri)) return [];
  const between = uri.startsWith('urn:') ? ':' : '/';
  return [
    { to: '@root', text: URI_ROOT, used: [system] },
    { to: '@extension', text: `${uri}${between}${encodeURIComponent((value.value ?? '').toWellFormed())}`, used: [value] },
    { to: '@assigningAuthorityName', text: uri, used: [system] },
  ];
}

/** A UUID as instance identifier of a resource that has none which CDA can say: its own id, or one made of it. */
const resourceId: DocumentConversion = (node, { sha256 }) => {
  const id = leafAt(node, 'id')?.value ?? '';
  return [{ to: '@root', text: (UUID.test(id) ? id : stableUuid(sha256, ['cda', node.name, id])).toUpperCase(), used: [] }];
};

const schemes: Readonly<Record<string, string>> = { phone: 'tel:', email: 'mailto:', fax: 'fax:' };

/** HL7 v3 TEL of a ContactPoint: a URL. */
const telecom: DocumentConversion = (node) => {
  const [system, value] = [leafAt(node, 'system'), leafAt(node, 'value')];
  const scheme = system?.value === 'url' ? '' : schemes[system?.value ?? 'phone'];
  if (value?.value === undefined || scheme === undefined) return [];
  return [{ to: '@value', text: `${scheme}${value.value}`, used: system === undefined ? [value] : [system, value] }];
};

const UCUM = 'http://unitsofmeasure.org';

/** HL7 v3 PQ of a Quantity: the unit is its UCUM code, else as it is written; a code of another system is its translation. One with a comparator is no PQ. */
const quantity: DocumentConversion = (node, context) => {
  const value = leafAt(node, 'value');
  if (value?.value === undefined || leafAt(node, 'comparator') !== undefined) return [];
  const written = { to: '@value', text: value.value, used: [value] };
  const system = leafAt(node, 'system');
  const foreign = system?.value === undefined || system.value === UCUM ? undefined : systemName(system.value, context);
  return [written, ...(foreign === undefined ? unitOf(node) : unitElsewhere(node, foreign, value.value))];
};

/** A PQR: value and unit in another system (HL7 v3 PQ.translation); without a unit of UCUM the number counts things, as `1` does. */
function unitElsewhere(node: SourceNode, { uid, name }: SystemName, value: string): Written[] {
  const [code, unit, system] = [leafAt(node, 'code'), leafAt(node, 'unit'), leafAt(node, 'system')];
  if (code?.value === undefined || system === undefined) return unitOf(node);
  const texts: Written[] = [
    { to: 'translation/@value', text: value, used: [] },
    { to: 'translation/@code', text: code.value, used: [code] },
    { to: 'translation/@codeSystem', text: uid, used: [system] },
  ];
  if (name !== undefined) texts.push({ to: 'translation/@codeSystemName', text: name, used: [] });
  if (unit?.value !== undefined) texts.push({ to: 'translation/@displayName', text: unit.value, used: [unit] });
  return texts;
}

function unitOf(node: SourceNode): Written[] {
  const [code, unit, system] = [leafAt(node, 'code'), leafAt(node, 'unit'), leafAt(node, 'system')];
  const text = (code ?? unit)?.value;
  if (text === undefined) return [];
  const used = [code, unit].filter((one) => one?.value === text);
  return [{ to: '@unit', text, used: [...used, code === undefined ? undefined : system].filter((one) => one !== undefined) }];
}

/** The bound of a Quantity with a comparator, as IVL_PQ has it. */
const bound: DocumentConversion = (node) => {
  const [comparator, value] = [leafAt(node, 'comparator'), leafAt(node, 'value')];
  if (comparator?.value === undefined || value?.value === undefined) return [];
  const side = comparator.value.startsWith('<') ? 'high' : 'low';
  const inclusive = comparator.value.endsWith('=') ? 'true' : 'false';
  return [
    { to: `${side}/@value`, text: value.value, used: [value] },
    { to: `${side}/@inclusive`, text: inclusive, used: [comparator] },
    ...unitOf(node).map((unit) => ({ ...unit, to: `${side}/${unit.to}` })),
  ];
};

/** A value in words, for the narrative: of a concept its text or a display, of a quantity with its unit. Stands for no value in the account. */
const words: DocumentConversion = (node) => {
  const said = inWords(node);
  return said === '' ? [] : [{ to: '#text', text: said, used: [] }];
};

function inWords(node: SourceNode): string {
  if (node.value !== undefined) return node.value;
  const value = (...names: string[]): string | undefined => leafAt(node, ...names)?.value;
  const coding = node.named('coding').map((one) => leafAt(one, 'display')?.value ?? leafAt(one, 'code')?.value);
  const numbers = [value('comparator'), value('value'), value('unit')].filter((one) => one !== undefined).join(' ');
  return value('text') ?? coding.find((one) => one !== undefined) ?? value('display') ?? numbers;
}

/** Name of a resource as an XML ID and as a pointer to it. */
const anchorOf = (node: SourceNode): string => `${node.name}-${leafAt(node, 'id')?.value ?? ''}`.replace(/[^A-Za-z0-9.-]/g, '_');

/** Conversions of the way back to a document, by the name that a map's `as` has. */
export const documentConversions: Readonly<Record<string, DocumentConversion>> = {
  text,
  time: ofText(compactTime),
  CD: concept,
  codes,
  II: instance,
  'resource-id': resourceId,
  'TEL-url': telecom,
  PQ: quantity,
  bound,
  words,
  anchor: (node) => [{ to: '#text', text: anchorOf(node), used: [] }],
  pointer: (node) => [{ to: '#text', text: `#${anchorOf(node)}`, used: [] }],
  made: own(({ made }) => compactTime(made) ?? ''),
  'document-id': own(({ documentId }) => documentId.toUpperCase()),
  language: own(({ language }) => language),
  'custodian-id': own(({ custodian }) => custodian.root),
  'custodian-name': own(({ custodian }) => custodian.name),
  software: own(({ software }) => software),
};
