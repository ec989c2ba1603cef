import { readDecimal, readString, textConversion } from '../engine/conversions.js';
import {
  textLeaf,
  type Conversion,
  type ConversionContext,
  type Converted,
  type FhirObject,
  type Origin,
  type SourceNode,
} from '../engine/index.js';
function child(node: SourceNode, ...names: string[]): SourceNode | undefined {
  let at: SourceNode | undefined = node;
  for (const name of names) {
    // The first component of a primitive is the primitive itself.
    if (at?.value !== undefined && name === '1') continue;
    at = at?.named(name)[0];
  }
  const leaf = at === undefined ? undefined : textLeaf(at);
  return leaf?.value === undefined || leaf.value === '' ? undefined : leaf;
}

/**
 * A coding system's name (HL7 table 0396, CWE.3) as URI: the country's names first, then the well-known ones, then HL7's own
 * tables. A name that nobody knows makes no system; it is carried.
 */
const codingSystem: Conversion = (node, context) => {
  const leaf = textLeaf(node);
  if (leaf?.value === undefined) return undefined;
  const uri =
    context.codingSystems.get(leaf.value) ??
    context.conceptMaps.get('coding-systems')?.translate(undefined, leaf.value)?.code ??
    hl7Table(leaf.value);
  return uri === undefined ? { problem: 'translate.code-unmapped', at: leaf } : { value: uri, origins: [{ path: '', from: [leaf] }] };
};

function hl7Table(name: string): string | undefined {
  const number = /^HL7(\d{4})$/.exec(name)?.[1];
  return number === undefined ? undefined : `http://terminology.hl7.org/CodeSystem/v2-${number}`;
}

/**
 * HD as the system of an identifier: universal id by its type (HL7 table 0301), else the country's name for the namespace.
 * A namespace that nobody knows makes no system.
 */
const authoritySystem: Conversion = (node, context) => systemOf(child(node, '1'), child(node, '2'), child(node, '3'), context);

function systemOf(
  namespace: SourceNode | undefined,
  id: SourceNode | undefined,
  type: SourceNode | undefined,
  context: ConversionContext,
): Converted | undefined {
  const universal = id?.value === undefined ? undefined : universalSystem(id.value, type?.value ?? '');
  if (universal !== undefined) return { value: universal, origins: [{ path: '', from: [id, type].filter((one) => one !== undefined) }] };
  const known = namespace?.value === undefined ? undefined : context.assigningAuthorities.get(namespace.value);
  return known === undefined || namespace === undefined ? undefined : { value: known, origins: [{ path: '', from: [namespace] }] };
}

function universalSystem(id: string, type: string): string | undefined {
  switch (type.toUpperCase()) {
    case 'ISO':
      return /^[0-2](\.\d+)+$/.test(id) ? `urn:oid:${id}` : undefined;
    case 'UUID':
    case 'GUID':
      return /^[0-9a-fA-F-]{36}$/.test(id) ? `urn:uuid:${id.toLowerCase()}` : undefined;
    case 'URI':
    case 'URL':
      return /^[a-z][a-z0-9+.-]*:\S+$/i.test(id) ? id : undefined;
    default:
      return undefined;
  }
}

/** EI as the system of an identifier: EI.3 and EI.4, else the country's name for the namespace EI.2. */
const entitySystem: Conversion = (node, context) => {
  const [namespace, id, type] = [child(node, '2'), child(node, '3'), child(node, '4')];
  return systemOf(namespace, id, type, context);
};

/**
 * CWE of a unit of measure as the unit, code and system of a FHIR Quantity: the unit as the sender writes it, and its UCUM
 * code where the field is coded in UCUM or the concept map `units` knows it.
 */
const unit: Conversion = (node, context) => {
  const code = child(node, '1');
  const measured = measuredIn(node, code, context);
  if (measured !== undefined && code !== undefined && measured.value['code'] === undefined) context.note('translate.code-unmapped', code);
  return measured;
};

function measuredIn(
  node: SourceNode,
  code: SourceNode | undefined,
  context: ConversionContext,
): { readonly value: FhirObject; readonly origins: readonly Origin[] } | undefined {
  const [text, system] = [child(node, '2'), child(node, '3')];
  const shown = text ?? code;
  if (shown?.value === undefined) return undefined;
  const origins: Origin[] = [{ path: 'unit', from: [shown] }];
  const ucum = code === undefined ? undefined : ucumOf(code, system, context);
  if (code === undefined || ucum === undefined) return { value: { unit: shown.value }, origins };
  origins.push({ path: 'code', from: [code] });
  if (system?.value === 'UCUM') origins.push({ path: 'system', from: [system] });
  return { value: { unit: shown.value, system: 'http://unitsofmeasure.org', code: ucum }, origins };
}

function ucumOf(code: SourceNode, system: SourceNode | undefined, { conceptMaps }: ConversionContext): string | undefined {
  return system?.value === 'UCUM' ? code.value : conceptMaps.get('units')?.translate(undefined, code.value ?? '')?.code;
}

/** OBX-7 as text, and as low and high in the unit of OBX-6 where it reads `low-high`. */
const referenceRange: Conversion = (node, context): Converted | undefined => {
  const leaf = textLeaf(node);
  if (leaf?.value === undefined) return undefined;
  const match = /^\s*(-?\d+(?:\.\d+)?)\s*-\s*(-?\d+(?:\.\d+)?)\s*$/.exec(leaf.value);
  const [low, high] = [readDecimal(match?.[1] ?? ''), readDecimal(match?.[2] ?? '')];
  if (low === undefined || high === undefined) return { value: { text: leaf.value }, origins: [{ path: 'text', from: [leaf] }] };
  const measured = unitBeside(node, context);
  return {
    value: { low: { value: low, ...measured }, high: { value: high, ...measured }, text: leaf.value },
    origins: ['low', 'high', 'text'].map((path) => ({ path, from: [leaf] })),
  };
};

/** The unit of OBX-6 for a value of the same OBX; what is wrong with it is told where OBX-6 itself is converted. */
function unitBeside(node: SourceNode, context: ConversionContext): FhirObject {
  const units = node.parent?.named('6')[0];
  return units === undefined ? {} : (measuredIn(units, child(units, '1'), context)?.value ?? {});
}

/** The comments of one NTE, or of all NTE of a group, one line for each repetition of NTE-3. */
const comments: Conversion = (node) => {
  const notes = node.name === 'NTE' ? [node] : node.named('NTE');
  const leaves = notes.flatMap((note) => note.named('3')).flatMap((field) => field.leaves());
  return linesOf(
    node,
    leaves.filter((leaf) => leaf.value?.trim() !== ''),
  );
};

/** FT as text: its components are its lines (HL7 v2.8 §2.7.6). */
const formattedText: Conversion = (node) => linesOf(node, node.leaves());

/** A line each; what begins with a line end of its own gets no second one (`^\.sp\` is one). */
function linesOf(node: SourceNode, leaves: readonly SourceNode[]): Converted | undefined {
  const said = leaves.filter((leaf) => !leaf.explicitNull && leaf.value !== undefined);
  const text = said.map(({ value = '' }, i) => (i === 0 || value.startsWith('\n') ? value : `\n${value}`)).join('');
  if (text.trim() === '') return undefined;
  const value = readString(text);
  return value === undefined ? { problem: 'translate.value-invalid', at: node } : { value, origins: [{ path: '', from: said }] };
}

/** XTN as one number: XTN.12 or XTN.1 as written, else country, area and local number, and the extension. */
const phone: Conversion = (node) => {
  const written = child(node, '12') ?? child(node, '1');
  if (written?.value !== undefined) return { value: written.value, origins: [{ path: '', from: [written] }] };
  const local = child(node, '7');
  if (local === undefined) return undefined;
  const parts = [child(node, '5'), child(node, '6'), local].filter((part) => part !== undefined);
  const text = parts.map((part, i) =>
    i === 0 && part.name === '5' && !part.value?.startsWith('+') ? `+${part.value ?? ''}` : (part.value ?? ''),
  );
  return { value: text.join(' '), origins: [{ path: '', from: parts }] };
};

/** PL as one name, from the facility inwards: facility, building, floor, point of care, room, bed. */
const locationName: Conversion = (node) => {
  const parts = ['4', '7', '8', '1', '2', '3'].map((name) => child(node, name)).filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : { value: parts.map((part) => part.value ?? '').join(', '), origins: [{ path: '', from: parts }] };
};

/** MSH-9 as the standard writes it, `ADT^A01^ADT_A01`. */
const messageType: Conversion = (node) => {
  const parts = ['1', '2', '3'].map((name) => child(node, name)).filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : { value: parts.map((part) => part.value ?? '').join('^'), origins: [{ path: '', from: parts }] };
};

/** HD as the address of a message's source or destination, by its universal id (HL7 table 0301). A namespace alone is no address. */
const endpoint: Conversion = (node) => {
  const [id, type] = [child(node, '2'), child(node, '3')];
  if (id?.value === undefined || type?.value === undefined) return undefined;
  const uri = type.value === 'DNS' ? domainName(id.value) : universalSystem(id.value, type.value);
  return uri === undefined ? undefined : { value: uri, origins: [{ path: '', from: [id, type] }] };
};

const domainName = (name: string): string | undefined => (/^[A-Za-z0-9.-]{1,253}$/.test(name) ? `urn:dns:${name}` : undefined);

/** Conversions that only HL7 v2 needs. */
export const hl7v2Conversions: Readonly<Record<string, Conversion>> = {
  'coding-system': codingSystem,
  'authority-system': authoritySystem,
  'entity-system': entitySystem,
  unit,
  'reference-range': referenceRange,
  comments,
  'formatted-text': formattedText,
  phone,
  'location-name': locationName,
  'message-type': messageType,
  endpoint,
  /** ED.5 where ED.4 says Base64. */
  base64: textConversion((text) => (/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text) ? text.replace(/\s+/g, '') : undefined)),
  /** ISO 639 as MSH-19 has it, as a BCP 47 tag. */
  language: textConversion((text) =>
    /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(text.trim()) ? text.trim().replace(/^[A-Za-z]+/, (one) => one.toLowerCase()) : undefined,
  ),
  /** SN.1 as FHIR quantity-comparator; `=` says what no comparator says. */
  comparator: textConversion((text) => (/^(<|<=|>=|>)$/.test(text.trim()) ? text.trim() : undefined)),
};
