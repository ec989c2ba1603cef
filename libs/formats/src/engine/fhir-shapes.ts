import type { ElementRule } from '@portolan/contracts';
import type { CompiledElement, CompiledResource } from './compile.js';
import type { MapMistake } from './map-set.js';

/** An element of R4 by its name in JSON. */
export interface FhirElement {
  readonly repeats: boolean;
  /** Where its own elements are found; undefined: it is primitive, or may be anything. */
  readonly shape: string | undefined;
  readonly primitive: boolean;
  /** The codes that it may be, where R4 lists them. */
  readonly codes: ReadonlySet<string> | undefined;
}

/** What R4 has, as the caller knows it: HL7's definitions are files, and this library has none. */
export interface FhirShapes {
  isResource(type: string): boolean;
  /** The element `name` of a type or of an element with elements of its own; undefined where R4 has none. */
  element(shape: string, name: string): FhirElement | undefined;
}

interface Place {
  readonly file: string;
  readonly rule: string;
}

/** Checks that what rules write has a place in R4: a slip of the pen there would else make FHIR that nobody takes. */
export class ShapeCheck {
  /** A type's rules stand in many places: each shape is told of once. */
  private readonly seen = new Set<string>();

  constructor(
    private readonly shapes: FhirShapes,
    private readonly types: ReadonlyMap<string, { readonly file: string; readonly elements: readonly CompiledElement[] }>,
    private readonly mistakes: MapMistake[],
    /** False where rules name elements without saying which of a list, as those of what is FHIR already do. */
    private readonly indexed: boolean,
  ) {}

  resource({ id, resource, elements }: CompiledResource, file: string): void {
    if (resource === '') return;
    if (this.shapes.isResource(resource)) this.elements(resource, elements, file);
    else this.mistakes.push({ file, rule: id, what: `makes the resource ${resource}, which R4 has not` });
  }

  private elements(shape: string, elements: readonly CompiledElement[], file: string): void {
    for (const element of elements) {
      const end = this.endOf(shape, element, file);
      if (end !== undefined) this.value(end, element, file);
    }
  }

  /** What the rule's path leads to in R4; undefined where it leads nowhere, which is told, or nothing is known of it. */
  private endOf(shape: string, { id, to, rule }: CompiledElement, file: string): FhirElement | undefined {
    let at: FhirElement = { repeats: false, shape, primitive: false, codes: undefined };
    for (const { name, index } of to) {
      if (at.shape === undefined && !at.primitive) return undefined;
      const next = at.shape === undefined ? undefined : this.shapes.element(at.shape, name);
      const wrong = next === undefined ? `${at.shape ?? 'a primitive'} has no element ${name} in R4` : this.wrongIndex(name, next, index);
      if (wrong !== undefined) this.tell({ file, rule: id }, `writes ${rule.to}: ${wrong}`);
      if (next === undefined || wrong !== undefined) return undefined;
      at = next;
    }
    return at;
  }

  private value({ shape, primitive, codes }: FhirElement, element: CompiledElement, file: string): void {
    const { id, rule, making } = element;
    const place = { file, rule: id };
    for (const code of constantsOf(rule)) {
      if (!primitive && shape !== undefined) this.tell(place, `writes ${rule.to}: a constant, where R4 has a ${shape}`);
      else if (codes !== undefined && !codes.has(String(code))) this.tell(place, `writes ${rule.to}: R4 has no code ${String(code)} there`);
    }
    if (making.kind !== 'object') return;
    if (primitive) this.tell(place, `writes ${rule.to}: elements, where R4 has a single value`);
    if (shape === undefined) return;
    this.elements(shape, making.elements, file);
    if (making.type !== undefined) this.type(making.type, shape);
  }

  private type(name: string, shape: string): void {
    const type = this.types.get(name);
    if (type === undefined || this.seen.has(`${name} ${shape}`)) return;
    this.seen.add(`${name} ${shape}`);
    this.elements(shape, type.elements, type.file);
  }

  private wrongIndex(name: string, { repeats }: FhirElement, index: number | 'append' | undefined): string | undefined {
    if (!this.indexed || repeats === (index !== undefined)) return undefined;
    return repeats ? `${name} repeats in R4 (${name}[], ${name}[0])` : `${name} does not repeat in R4`;
  }

  private tell(place: Place, what: string): void {
    this.mistakes.push({ ...place, what });
  }
}

const constantsOf = ({ constant, otherwise }: ElementRule): readonly (string | number | boolean)[] =>
  [constant, otherwise].filter((one) => one !== undefined);
