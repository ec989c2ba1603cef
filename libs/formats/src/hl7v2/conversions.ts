import { textLeaf, type Conversion, type FhirObject, type Origin, type SourceNode } from '../engine/index.js';
import { textConversion } from '../engine/conversions.js';

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
const authoritySystem: Conversion = (node, context) => {
  const [namespace, id, type] = [child(node, '1'), child(node, '2'), child(node, '3')];
  const universal = id?.value === undefined ? undefined : universalSystem(id.value, type?.value ?? '');
  if (universal !== undefined) return { value: universal, origins: [{ path: '', from: [id, type].filter((one) => one !== undefined) }] };
  const known = namespace?.value === undefined ? undefined : context.assigningAuthorities.get(namespace.value);
  return known === undefined || namespace === undefined ? undefined : { value: known, origins: [{ path: '', from: [namespace] }] };
};

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

/**
 * CWE of a unit of measure as the unit, code and system of a FHIR Quantity: the unit as the sender writes it, and its UCUM
 * code where the field is coded in UCUM or the concept map `units` knows it.
 */
const unit: Conversion = (node, context) => {
  const [code, text, system] = [child(node, '1'), child(node, '2'), child(node, '3')];
  const shown = text ?? code;
  if (shown?.value === undefined) return undefined;
  const value: FhirObject = { unit: shown.value };
  const origins: Origin[] = [{ path: 'unit', from: [shown] }];
  if (code?.value !== undefined) {
    const ucum = system?.value === 'UCUM' ? code.value : context.conceptMaps.get('units')?.translate(undefined, code.value)?.code;
    if (ucum === undefined) context.note('translate.code-unmapped', code);
    else {
      Object.assign(value, { system: 'http://unitsofmeasure.org', code: ucum });
      origins.push({ path: 'code', from: [code] });
      if (system?.value === 'UCUM') origins.push({ path: 'system', from: [system] });
    }
  }
  return { value, origins };
};

/** Conversions that only HL7 v2 needs. */
export const hl7v2Conversions: Readonly<Record<string, Conversion>> = {
  'coding-system': codingSystem,
  'authority-system': authoritySystem,
  unit,
  /** SN.1 as FHIR quantity-comparator; `=` says what no comparator says. */
  comparator: textConversion((text) => (/^(<|<=|>=|>)$/.test(text.trim()) ? text.trim() : undefined)),
};
