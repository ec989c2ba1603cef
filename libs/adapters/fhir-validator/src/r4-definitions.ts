import { readFileSync } from 'node:fs';

/** A row of data/r4-definitions.json (made by tools/extract-r4.mjs from HL7's definitions of R4 4.0.1). */
interface ElementRow {
  readonly min: number;
  readonly max: number | '*';
  readonly types?: readonly string[];
  /** Path of the element whose definition this one repeats: `Bundle.link`. */
  readonly sameAs?: string;
  readonly targets?: readonly string[];
  readonly valueSet?: string;
  readonly invariants?: readonly string[];
}
interface TypeRow {
  readonly kind: 'primitive-type' | 'complex-type' | 'resource';
  readonly base?: string;
  readonly abstract?: true;
  readonly invariants?: readonly string[];
  readonly pattern?: string;
  readonly elements?: Readonly<Record<string, ElementRow>>;
}
interface Invariant {
  readonly severity: 'error' | 'warning';
  readonly human: string;
  readonly expression: string;
}
export type ValueSetRow = Readonly<Record<string, readonly string[]>>;

/** One JSON form of an element: `valueQuantity` of `value[x]`, or the element itself. */
export interface Form {
  /** Member's name in JSON, element's name in XML. */
  readonly name: string;
  /** R4 type: `Quantity`, `code`, `BackboneElement`, `Resource`. */
  readonly type: string;
  readonly primitive: boolean;
  /** Path of the shape of a complex value: `Quantity`, `Observation.component`; undefined for primitives and nested resources. */
  readonly shape: string | undefined;
}

export interface Element {
  /** As defined: `status`, `value[x]`. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly forms: readonly Form[];
  /** Types a reference may point to; undefined: any. */
  readonly targets: ReadonlySet<string> | undefined;
  /** Value set of a required binding. */
  readonly valueSet: string | undefined;
  readonly invariants: readonly string[];
}

/** The elements of a type or of a backbone element, inherited ones first, in the order of the standard. */
export interface Shape {
  /** `Observation` or `Observation.component`. */
  readonly path: string;
  readonly isResource: boolean;
  readonly elements: readonly Element[];
  /** Form by its JSON name. */
  readonly forms: ReadonlyMap<string, Form>;
  readonly invariants: readonly string[];
}

const load = (name: string): unknown => JSON.parse(readFileSync(new URL(`../data/${name}.json`, import.meta.url), 'utf8'));

/**
 * The definitions of FHIR R4: read at first use, once an instance; shapes are made as they are asked for. Share one
 * instance among all that judge and convert.
 */
export class R4Definitions {
  private readonly shapes = new Map<string, Shape>();
  private loadedTypes: Readonly<Record<string, TypeRow>> | undefined;
  private loadedInvariants: Readonly<Record<string, Invariant>> | undefined;
  private loadedValueSets: Readonly<Record<string, ValueSetRow>> | undefined;

  isResource(type: string): boolean {
    const row = this.typeRow(type);
    return row?.kind === 'resource' && row.abstract !== true;
  }

  /** Pattern of a primitive type, as the standard writes it. */
  pattern(type: string): string | undefined {
    return this.typeRow(type)?.pattern;
  }

  invariant(key: string): Invariant {
    const found = (this.loadedInvariants ??= load('r4-invariants') as Record<string, Invariant>)[key];
    if (found === undefined) throw new Error(`the definitions name an invariant ${key} that they do not hold`);
    return found;
  }

  /** Codes by system; undefined for the few sets that cannot be listed. */
  valueSet(url: string): ValueSetRow | undefined {
    this.loadedValueSets ??= load('r4-value-sets') as Record<string, ValueSetRow>;
    return Object.hasOwn(this.loadedValueSets, url) ? this.loadedValueSets[url] : undefined;
  }

  /** Throws for a path that R4 does not define: callers have it from the definitions themselves. */
  shape(path: string): Shape {
    const known = this.shapes.get(path);
    if (known !== undefined) return known;
    const made = this.makeShape(path);
    this.shapes.set(path, made);
    return made;
  }

  private typeRow(type: string): TypeRow | undefined {
    this.loadedTypes ??= (load('r4-definitions') as { types: Record<string, TypeRow> }).types;
    return Object.hasOwn(this.loadedTypes, type) ? this.loadedTypes[type] : undefined;
  }

  private makeShape(path: string): Shape {
    const [type = '', ...inner] = path.split('.');
    const row = this.typeRow(type);
    if (row === undefined) throw new Error(`R4 has no type for ${path}`);
    const isType = inner.length === 0;
    const elements = isType ? this.elementsOfType(type) : this.elementsOfBackbone(type, row, inner.join('.'));
    const forms = new Map(elements.flatMap((element) => element.forms.map((form) => [form.name, form] as const)));
    return { path, isResource: isType && row.kind === 'resource', elements, forms, invariants: isType ? this.invariantsOfType(type) : [] };
  }

  private elementsOfType(type: string): readonly Element[] {
    const row = this.typeRow(type);
    if (row === undefined) return [];
    const inherited = row.base === undefined ? [] : this.elementsOfType(row.base);
    return [...inherited, ...this.children(type, row, '')];
  }

  private invariantsOfType(type: string): readonly string[] {
    const row = this.typeRow(type);
    const inherited = row?.base === undefined ? [] : this.invariantsOfType(row.base);
    return [...inherited, ...(row?.invariants ?? [])];
  }

  private elementsOfBackbone(type: string, row: TypeRow, inner: string): readonly Element[] {
    const own = row.elements?.[inner];
    return [...this.elementsOfType(own?.types?.[0] ?? 'Element'), ...this.children(type, row, `${inner}.`)];
  }

  private children(type: string, row: TypeRow, prefix: string): readonly Element[] {
    const rows = Object.entries(row.elements ?? {});
    const direct = rows.filter(([path]) => path.startsWith(prefix) && !path.slice(prefix.length).includes('.'));
    return direct.map(([path, element]) => this.element(`${type}.${path}`, path.slice(prefix.length), element));
  }

  private element(path: string, name: string, row: ElementRow): Element {
    return {
      name,
      min: row.min,
      max: row.max === '*' ? Infinity : row.max,
      forms: (row.types ?? ['BackboneElement']).map((type) => this.form(name, type, row.sameAs ?? path)),
      targets: row.targets === undefined ? undefined : new Set(row.targets),
      valueSet: row.valueSet,
      invariants: row.invariants ?? [],
    };
  }

  private form(name: string, type: string, path: string): Form {
    const isChoice = name.endsWith('[x]');
    const primitive = this.typeRow(type)?.kind === 'primitive-type' && type !== 'xhtml';
    const anonymous = type === 'BackboneElement' || type === 'Element';
    return {
      name: isChoice ? name.slice(0, -3) + type.charAt(0).toUpperCase() + type.slice(1) : name,
      type,
      primitive,
      shape: primitive || type === 'Resource' || type === 'xhtml' ? undefined : anonymous ? path : type,
    };
  }
}
