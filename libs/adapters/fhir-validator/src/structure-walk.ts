import { isFhirObject, type FhirObject, type FhirValue, type ValidationIssue } from '@portolan/domain';
import type { IssueList } from './issue-list.js';
import { narrativeMistake } from './narrative.js';
import type { PrimitiveForms } from './primitive-forms.js';
import type { Element, Form, R4Definitions, Shape } from './r4-definitions.js';
import type { ValueSets } from './value-sets.js';
import type { XmlReader } from './xml-reader.js';

/** The resource a value stands in, and the one that contains that. */
export interface Scope {
  readonly resource: FhirObject;
  readonly path: string;
  /** The resource outside `contained`; the same as `resource` for one that is not contained. */
  readonly root: FhirObject;
}

/** Invariants to evaluate at a value of a known type. */
export interface InvariantCheck {
  readonly keys: readonly string[];
  /** FHIRPath type of the value: `Period`, `Observation.component`; undefined for a resource. */
  readonly base: string | undefined;
  readonly value: FhirValue;
  readonly path: string;
  readonly scope: Scope;
}

export interface FoundReference {
  readonly path: string;
  readonly value: FhirObject;
  readonly targets: ReadonlySet<string> | undefined;
  readonly scope: Scope;
}

/** What a walk over the definitions found beside mistakes. */
export interface Findings {
  readonly checks: readonly InvariantCheck[];
  readonly references: readonly FoundReference[];
  /** Resources with `contained`. */
  readonly containers: readonly { readonly resource: FhirObject; readonly path: string }[];
  /** Values of uri, url and canonical that point inside a resource (`#id`), and where they stand. */
  readonly fragments: readonly { readonly text: string; readonly scope: Scope }[];
}

export interface WalkTools {
  readonly definitions: R4Definitions;
  readonly primitives: PrimitiveForms;
  readonly valueSets: ValueSets;
  readonly xml: XmlReader;
}

const POINTERS: ReadonlySet<string> = new Set(['uri', 'url', 'canonical']);

type Value = FhirValue | null | undefined;
const isObject = (value: Value): value is FhirObject => value !== null && isFhirObject(value);

/** Compares one resource with the definitions of its type: elements, cardinalities, types, forms, required bindings. */
export class StructureWalk implements Findings {
  readonly checks: InvariantCheck[] = [];
  readonly references: FoundReference[] = [];
  readonly fragments: { text: string; scope: Scope }[] = [];
  readonly containers: { resource: FhirObject; path: string }[] = [];

  constructor(
    private readonly tools: WalkTools,
    private readonly issues: IssueList,
  ) {}

  /** `container` is given for contained resources. */
  resource(value: Value, path: string, container?: FhirObject): void {
    const type = isObject(value) ? value['resourceType'] : undefined;
    if (!isObject(value) || typeof type !== 'string' || !this.tools.definitions.isResource(type)) {
      this.issues.add({ severity: 'fatal', code: 'structure', path, reason: 'no resource of a type that R4 knows' });
      return;
    }
    const start = path === '' ? type : path;
    if (container === undefined && value['contained'] !== undefined) this.containers.push({ resource: value, path: start });
    this.object(value, this.tools.definitions.shape(type), start, { resource: value, path: start, root: container ?? value });
  }

  private object(node: FhirObject, shape: Shape, path: string, scope: Scope): void {
    const names = Object.keys(node).filter((name) => !(shape.isResource && name === 'resourceType'));
    if (names.length === 0 && !shape.isResource) this.issues.error('structure', path, 'an object without members', 'ele-1');
    names.forEach((name, at) => this.member(name, at + 1, shape, path));
    for (const element of shape.elements) this.element(node, element, path, scope);
    this.check(shape.invariants, shape, node, path, scope);
    if (shape.path === 'Extension') this.extension(node, shape, path);
  }

  private check(keys: readonly string[], shape: Shape, value: FhirValue, path: string, scope: Scope): void {
    if (keys.length > 0) this.checks.push({ keys, base: shape.isResource ? undefined : shape.path, value, path, scope });
  }

  /** An unknown name may be anything, so its number stands for it. */
  private member(name: string, at: number, shape: Shape, path: string): void {
    const form = shape.forms.get(name.replace(/^_/, ''));
    const known = form !== undefined && (!name.startsWith('_') || form.primitive);
    if (!known) this.issues.error('structure', path, `member ${at} is no element of ${shape.path}`);
  }

  private extension(node: FhirObject, shape: Shape, path: string): void {
    const hasValue = shape.elements.some(({ name, forms }) => name === 'value[x]' && forms.some((form) => isPresent(node, form)));
    const hasExtension = node['extension'] !== undefined;
    if (hasValue === hasExtension) this.issues.error('invariant', path, 'an extension has either a value or extensions', 'ext-1');
  }

  private element(node: FhirObject, element: Element, path: string, scope: Scope): void {
    const present = element.forms.filter((form) => isPresent(node, form));
    const [form] = present;
    if (form === undefined) {
      if (element.min > 0) this.issues.error('required', `${path}.${element.name.replace('[x]', '')}`, 'the element is missing');
      return;
    }
    if (present.length > 1) this.issues.error('structure', `${path}.${element.name.replace('[x]', '')}`, 'more than one form of a choice');
    for (const one of present) this.form(node, element, one, `${path}.${one.name}`, scope);
  }

  private form(node: FhirObject, element: Element, form: Form, path: string, scope: Scope): void {
    const value: Value = node[form.name];
    const beside: Value = form.primitive ? node[`_${form.name}`] : undefined;
    if (element.max === 1) this.item(value, beside, element, form, path, scope);
    else this.list(value, beside, element, form, path, scope);
  }

  private list(value: Value, beside: Value, element: Element, form: Form, path: string, scope: Scope): void {
    const lists = [value, beside].filter((one) => one !== undefined);
    if (!lists.every((one) => Array.isArray(one) && one.length > 0)) {
      this.issues.error('structure', path, 'a list with at least one item is expected');
      return;
    }
    const [values, besides] = [asList(value), asList(beside)];
    const length = Math.max(values.length, besides.length);
    const uneven = value !== undefined && beside !== undefined && values.length !== besides.length;
    if (uneven) this.issues.error('structure', path, 'values and their extensions are lists of different length');
    if (length > element.max) this.issues.error('structure', path, `more than ${element.max} items`);
    for (let i = 0; i < length; i += 1) {
      this.item(values[i] ?? undefined, besides[i] ?? undefined, element, form, `${path}[${i}]`, scope);
    }
  }

  private item(value: Value, beside: Value, element: Element, form: Form, path: string, scope: Scope): void {
    if (form.primitive) this.primitive(value, beside, element, form, path, scope);
    else if (form.type === 'Resource') this.nested(value, element, path, scope);
    else if (form.type === 'xhtml') this.narrative(value, path);
    else if (!isObject(value)) this.issues.error('structure', path, 'an object is expected');
    else this.complex(value, element, this.tools.definitions.shape(form.shape ?? form.type), path, scope);
  }

  private nested(value: Value, element: Element, path: string, scope: Scope): void {
    this.resource(value, path, element.name === 'contained' ? scope.root : undefined);
  }

  private complex(value: FhirObject, element: Element, shape: Shape, path: string, scope: Scope): void {
    this.object(value, shape, path, scope);
    this.check(element.invariants, shape, value, path, scope);
    if (shape.path === 'Reference') this.references.push({ path, value, targets: element.targets, scope });
    if (element.valueSet !== undefined) this.binding(value, element.valueSet, path);
  }

  private primitive(value: Value, beside: Value, element: Element, form: Form, path: string, scope: Scope): void {
    if (beside !== undefined) this.beside(beside, path, scope);
    if (value === undefined || value === null) {
      if (!isObject(beside) || beside['extension'] === undefined) this.issues.error('structure', path, 'neither a value nor an extension');
      return;
    }
    const mistake = this.tools.primitives.mistake(form.type, value);
    if (mistake !== undefined) this.issues.error('value', path, mistake);
    else if (typeof value === 'string') this.text(value, element, form, path, scope);
    if (element.invariants.length > 0) this.checks.push({ keys: element.invariants, base: form.type, value, path, scope });
  }

  /** The object beside a primitive (`_birthDate`): id and extensions. */
  private beside(value: Value, path: string, scope: Scope): void {
    if (isObject(value)) this.object(value, this.tools.definitions.shape('Element'), path, scope);
    else this.issues.error('structure', path, 'the member with underscore is no object');
  }

  private text(value: string, element: Element, form: Form, path: string, scope: Scope): void {
    const { valueSet } = element;
    if (valueSet !== undefined && form.type === 'code' && !this.tools.valueSets.holds(valueSet, undefined, value))
      this.uncoded(path, valueSet);
    if (POINTERS.has(form.type) && value.startsWith('#')) this.fragments.push({ text: value, scope });
  }

  private narrative(value: Value, path: string): void {
    if (typeof value !== 'string') {
      this.issues.error('structure', path, 'a JSON string is expected');
      return;
    }
    const mistake = narrativeMistake(value, this.tools.xml);
    if (mistake !== undefined) this.issues.error(mistake.code, path, mistake.reason, mistake.rule);
  }

  /** A required binding: a Coding in the set, or one coding of a concept; an extension may say why there is none. */
  private binding(value: FhirObject, valueSet: string, path: string): void {
    const codings = value['coding'] === undefined ? [value] : asList(value['coding']);
    const held = codings.some((coding) => isObject(coding) && this.isHeld(coding, valueSet));
    if (!held && value['extension'] === undefined) this.uncoded(path, valueSet);
  }

  private isHeld({ system, code }: FhirObject, valueSet: string): boolean {
    return typeof code === 'string' && this.tools.valueSets.holds(valueSet, typeof system === 'string' ? system : '', code);
  }

  private uncoded(path: string, valueSet: string): void {
    const issue: ValidationIssue = { severity: 'error', code: 'code-invalid', path, reason: `no code of ${valueSet}` };
    this.issues.add(issue);
  }
}

const isPresent = (node: FhirObject, form: Form): boolean =>
  node[form.name] !== undefined || (form.primitive && node[`_${form.name}`] !== undefined);

const asList = (value: Value): readonly Value[] => (Array.isArray(value) ? value : []);
