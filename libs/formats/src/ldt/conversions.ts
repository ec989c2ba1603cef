import { readDecimal } from '../engine/conversions.js';
import { DecimalText, decimalPattern, textLeaf, type Conversion, type FhirObject, type SourceNode } from '../engine/index.js';
import { compactDateTime, compactInstant } from '../engine/times.js';

const leafOf = (node: SourceNode, name: string): SourceNode | undefined => {
  const [found] = node.named(name);
  const leaf = found === undefined ? undefined : textLeaf(found);
  return leaf?.value === undefined || leaf.value.trim() === '' ? undefined : leaf;
};

/** Obj_0054: date (7278) and time of day (7279) as one FHIR time. */
function timestamp(read: typeof compactDateTime): Conversion {
  return (node, context) => {
    const [date, time] = [leafOf(node, '7278'), leafOf(node, '7279')];
    if (date?.value === undefined) return undefined;
    const clock = (time?.value ?? '').trim().replace(/^(\d{6})(\d{3})$/, '$1.$2');
    const reading = read(`${date.value.trim()}${clock}`, context);
    if (reading === undefined) return { problem: 'translate.value-invalid', at: date };
    if (reading.note !== undefined) context.note(reading.note, date);
    const from = time === undefined ? [date] : [date, time];
    return { value: reading.value, origins: [{ path: '', from, ...(reading.partial && { partial: true }) }] };
  };
}

/** A result (8420) as the comparator and value of a Quantity: `<100`, `5.00E+07`, `47.85`. Another form is no quantity. */
const quantity: Conversion = (node) => {
  const leaf = textLeaf(node);
  const match = /^\s*(<=|>=|<|>)?\s*(\S.*?)\s*$/.exec(leaf?.value ?? '');
  if (leaf === undefined || match === null) return undefined;
  const value = numberOf(match[2] ?? '');
  if (value === undefined) return { problem: 'translate.value-invalid', at: leaf };
  const made: FhirObject = match[1] === undefined ? { value } : { value, comparator: match[1] };
  return { value: made, origins: [{ path: 'value', from: [leaf] }] };
};

/** A number with a point or, as some write it, a comma; an exponent stays. */
function numberOf(text: string): DecimalText | undefined {
  const pointed = /^[+-]?\d+,\d+$/.test(text) ? text.replace(',', '.') : text;
  return readDecimal(pointed) ?? (decimalPattern.test(pointed) ? new DecimalText(pointed) : undefined);
}

/** Lines of a running text (3564 of Obj_0068, repeated 8460 and the like), joined. */
const lines: Conversion = (node) => {
  const all = node.value === undefined ? node.named('3564').flatMap((line) => line.leaves()) : [node];
  const text = all.map((leaf) => leaf.value ?? '').join('\n');
  return text.trim() === '' ? undefined : { value: text, origins: [{ path: '', from: all }] };
};

/** A unit as the laboratory writes it, and its UCUM code where the country's concept map `units` knows it. */
const unit: Conversion = (node, context) => {
  const leaf = textLeaf(node);
  const text = leaf?.value?.trim() ?? '';
  if (leaf === undefined || text === '') return undefined;
  const ucum = context.conceptMaps.get('units')?.translate(undefined, text)?.code;
  if (ucum === undefined) context.note('translate.code-unmapped', leaf);
  const value: FhirObject = ucum === undefined ? { unit: text } : { unit: text, system: 'http://unitsofmeasure.org', code: ucum };
  return { value, origins: [{ path: 'unit', from: [leaf] }] };
};

/** Conversions that only LDT needs. */
export const ldtConversions: Readonly<Record<string, Conversion>> = {
  'ldt-timestamp': timestamp(compactDateTime),
  'ldt-instant': timestamp(compactInstant),
  'ldt-quantity': quantity,
  'ldt-lines': lines,
  'ldt-unit': unit,
};
