import type { Account, CarriedValue, ElementProvenance, FhirResource } from '../engine/index.js';
import { recommendedSeparators, unescapeText } from '../hl7v2/index.js';
import { Cell } from './cell.js';
import type { WrittenSegment } from './er7.js';

/** What the way in said of the same resources, where they came as an HL7 v2 message: whoever may have the whole document may have this. */
export interface BackOriginal {
  readonly provenance: readonly ElementProvenance[];
  readonly carried: Account['carried'];
  /** The resources, as `provenance` counts them. */
  readonly resources: readonly FhirResource[];
}

/** A place of the original: `OBX[3]-5[2].1.2`. */
interface Place {
  /** `OBX[3]` */
  readonly label: string;
  readonly field: number;
  /** From 0. */
  readonly repetition: number;
  readonly below: readonly number[];
}

function placeOf(path: string): Place | undefined {
  const match = /^([A-Z][A-Z0-9]{2}(?:\[\d+\])?)-(\d+)(?:\[(\d+)\])?((?:\.\d+){0,2})$/.exec(path);
  if (match === null) return undefined;
  const [, label = '', field, repetition = '1', below = ''] = match;
  return { label, field: Number(field), repetition: Number(repetition) - 1, below: below.split('.').filter(Boolean).map(Number) };
}

/**
 * Puts what was carried of the original back where it stood, in segments made of the same source segment; where something is written already,
 * that stays. Segments of local meaning (Z…) follow at the end. Answers with the segments, and the places that found none.
 */
export function restored(
  segments: readonly WrittenSegment[],
  original: BackOriginal,
): { readonly segments: readonly WrittenSegment[]; readonly lost: readonly string[] } {
  const mapped = new Set(original.provenance.map(({ source }) => fieldOf(source)));
  const byLabel = labelled(segments, sourcesOf(original));
  const added: WrittenSegment[] = [];
  const lost = original.carried.filter((part) => {
    const { path } = part;
    const place = placeOf(path);
    const segment = place === undefined ? undefined : (byLabel.get(place.label) ?? localSegment(place, byLabel, added));
    return place === undefined || segment === undefined || !put(segment, place, part, mapped.has(fieldOf(path)));
  });
  return { segments: [...segments, ...added], lost: lost.map(({ path }) => path) };
}

function labelled(segments: readonly WrittenSegment[], sources: ReadonlyMap<string, readonly string[]>): Map<string, WrittenSegment> {
  const found = new Map<string, WrittenSegment>();
  for (const segment of segments) {
    const label = labelOf(segment, sources);
    if (label !== undefined && !found.has(label)) found.set(label, segment);
  }
  return found;
}

function localSegment({ label }: Place, byLabel: Map<string, WrittenSegment>, added: WrittenSegment[]): WrittenSegment | undefined {
  if (!label.startsWith('Z')) return undefined;
  const segment = { name: label.slice(0, 3), fields: new Map<number, Cell[]>() };
  byLabel.set(label, segment);
  added.push(segment);
  return segment;
}

/** `Type/id#path` → the source places of that element. */
export function sourcesOf({ provenance, resources }: BackOriginal): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { resource, path, source } of provenance) {
    const { resourceType = '', id = '' } = resources[resource] ?? {};
    const at = `${resourceType}/${id}#${path}`;
    const list = found.get(at);
    if (list === undefined) found.set(at, [source]);
    else list.push(source);
  }
  return found;
}

/** The segment of the original that most of a written segment's values come from; MSH and EVN are there once. */
function labelOf({ name, fields }: WrittenSegment, sources: ReadonlyMap<string, readonly string[]>): string | undefined {
  if (name === 'MSH' || name === 'EVN') return name;
  const leaves = [...fields.values()].flatMap((cells) => cells.flatMap(({ used }) => used));
  const labels = leaves.flatMap(({ path }) => (sources.get(path) ?? []).flatMap((source) => placeOf(source)?.label ?? []));
  const counts = new Map<string, number>();
  for (const label of labels) if (label.startsWith(name)) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

const fieldOf = (path: string): string => /^[^-]*-\d+/.exec(path)?.[0] ?? path;

/** Separators, time, type, id, version and character set are the new message's own. */
const ownFields = new Set([1, 2, 7, 9, 10, 12, 18]);

/** `inPart`: another part of the field became FHIR; without what that says, this part would say something else. */
function put({ name, fields }: WrittenSegment, { field, repetition, below }: Place, part: CarriedValue, inPart: boolean): boolean {
  if (name === 'MSH' && ownFields.has(field)) return false;
  const cells = fields.get(field) ?? [];
  const there = cells[repetition];
  if (there !== undefined) return putInto(there, below, part);
  if (repetition > cells.length || inPart) return false;
  const whole = below.length === 0 ? cellOf(part) : new Cell();
  if (below.length > 0) whole.put(below, cellOf(part));
  fields.set(field, [...cells, whole]);
  return true;
}

const putInto = (there: Cell, below: readonly number[], part: CarriedValue): boolean =>
  laidOut(there.at(below), part) || (below.length > 0 && there.put(below, cellOf(part)));

function cellOf({ value, escaped }: CarriedValue): Cell {
  const cell = Cell.of(value, []);
  cell.escaped = escaped === true;
  return cell;
}

/** Gives a text back the layout that its original had, where it still says the same. */
function laidOut(cell: Cell | undefined, { value, escaped }: CarriedValue): boolean {
  if (escaped !== true || cell?.text === undefined) return false;
  if (cell.text !== unescapeText(value, recommendedSeparators, () => undefined)) return false;
  cell.text = value;
  cell.escaped = true;
  return true;
}
