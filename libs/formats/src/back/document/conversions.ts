import type { DocumentElement } from '@portolan/contracts';
import { stableUuid, textLeaf, type Sha256Hex, type SourceNode } from '../../engine/index.js';
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
  readonly oid: string | undefined;
}

function codesOf(node: SourceNode, { names }: DocumentContext): Code[] {
  const codings = node.named('coding').length === 0 && node.named('code').length > 0 ? [node] : node.named('coding');
  return codings.flatMap((coding) => {
    const [code, system] = [leafAt(coding, 'code'), leafAt(coding, 'system')];
    const oid = system?.value === undefined ? undefined : names.systemOid(system.value);
    return code === undefined || (system !== undefined && oid === undefined) ? [] : [{ coding, code, system, oid }];
  });
}

/** HL7 v3 CD of a CodeableConcept or Coding: what has an object identifier is written, the first as the code, the others as translations; else null flavour OTH. */
const codes: DocumentConversion = (node, context) => {
  const found = codesOf(node, context);
  const there = node.named('coding').length > 0 || node.named('code').length > 0;
  if (found.length === 0) return there ? [{ to: '@nullFlavor', text: 'OTH', used: [] }] : [];
  return found.flatMap((code, i) => codingTexts(code, i === 0 ? '' : 'translation/', context));
};

function codingTexts({ coding, code, system, oid }: Code, before: string, { names }: DocumentContext): Written[] {
  const written: Written[] = [{ to: `${before}@code`, text: code.value ?? '', used: [code], fresh: before !== '' }];
  const put = (to: string, leaf: SourceNode | undefined, said = leaf?.value): void => {
    if (leaf !== undefined && said !== undefined) written.push({ to: `${before}${to}`, text: said, used: [leaf] });
  };
  put('@codeSystem', system, oid);
  const name = oid === undefined ? undefined : names.systemName(oid);
  if (name !== undefined) written.push({ to: `${before}@codeSystemName`, text: name, used: [] });
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

const OID = /^[0-2](\.(0|[1-9]\d*))+$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Root of an instance identifier; HL7 v3 compares it letter by letter and wants the digits of a UUID as capitals (Abstract Data Types, UUID). */
const rootOf = (uri: string): string | undefined => {
  const id = uri.replace(/^urn:(oid|uuid):/, '');
  if (id === uri) return undefined;
  return OID.test(id) ? id : UUID.test(id) ? id.toUpperCase() : undefined;
};

/** HL7 v3 II of an Identifier; none where its system is no object identifier or UUID. */
const instance: DocumentConversion = (node, { names }) => {
  const [system, value] = [leafAt(node, 'system'), leafAt(node, 'value')];
  if (system?.value === undefined || value?.value === undefined) return [];
  if (system.value === 'urn:ietf:rfc:3986') {
    const alone = rootOf(value.value);
    return alone === undefined ? [] : [{ to: '@root', text: alone, used: [system, value] }];
  }
  const root = names.authorityRoot(system.value) ?? rootOf(system.value);
  if (root === undefined) return [];
  return [
    { to: '@root', text: root, used: [system] },
    { to: '@extension', text: value.value, used: [value] },
  ];
};

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

/** HL7 v3 PQ of a Quantity: the unit is its UCUM code, else as it is written. One with a comparator is no PQ. */
const quantity: DocumentConversion = (node) => {
  const value = leafAt(node, 'value');
  if (value?.value === undefined || leafAt(node, 'comparator') !== undefined) return [];
  return [{ to: '@value', text: value.value, used: [value] }, ...unitOf(node)];
};

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
  const unit = leafAt(node, 'code') ?? leafAt(node, 'unit');
  const said = [
    { to: `${side}/@value`, text: value.value, used: [value] },
    { to: `${side}/@inclusive`, text: inclusive, used: [comparator] },
  ];
  return unit?.value === undefined ? said : [...said, { to: `${side}/@unit`, text: unit.value, used: [unit] }];
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
