import { DecimalText, type FhirObject, type FhirValue } from '@portolan/domain';
import type { Element, Form, R4Definitions, Shape } from './r4-definitions.js';
import { XmlRefused, type XmlElement } from './xml-reader.js';
import { xmlText } from './xml-writer.js';
import { XHTML } from './narrative.js';

export const FHIR = 'http://hl7.org/fhir';
const INTEGERS: ReadonlySet<string> = new Set(['integer', 'unsignedInt', 'positiveInt']);
/** Allowed on the root and without meaning for FHIR. */
const SCHEMA_HINTS: ReadonlySet<string> = new Set(['xmlns:xsi', 'xsi:schemaLocation']);

/**
 * FHIR JSON tree of a FHIR XML resource (R4 §2.6.2 and §2.6.1), by the definitions. Every element and attribute ends up in the
 * tree or the text is refused: nothing is left out silently. Comments are no content.
 */
export class XmlToJson {
  constructor(private readonly definitions: R4Definitions) {}

  /** Throws XmlRefused. */
  resource(root: XmlElement): FhirObject {
    if (root.attributes.get('xmlns') !== FHIR) throw new XmlRefused('the root is not in the namespace of FHIR');
    const attributes = new Map([...root.attributes].filter(([name]) => !SCHEMA_HINTS.has(name)));
    return this.nested({ ...root, attributes }, '');
  }

  /** `path` empty at the root. An unknown name may be anything, so it is not repeated. */
  private nested(element: XmlElement, path: string): FhirObject {
    if (!this.definitions.isResource(element.name)) throw new XmlRefused(`${path === '' ? 'the root' : path} is no resource of R4`);
    return { resourceType: element.name, ...this.object(element, this.definitions.shape(element.name), path === '' ? element.name : path) };
  }

  private object(element: XmlElement, shape: Shape, path: string): FhirObject {
    const object: FhirObject = attributesOf(element, shape, path);
    const children = elementsOf(element, path);
    for (const name of new Set(children.map((child) => child.name))) {
      const [definition, form] = definitionOf(shape, name, path);
      const named = children.filter((child) => child.name === name);
      this.member(object, definition, form, named, `${path}.${name}`);
    }
    return object;
  }

  private member(object: FhirObject, { max }: Element, form: Form, found: readonly XmlElement[], path: string): void {
    if (found.length > max) throw new XmlRefused(`${path} stands more than ${max} times`);
    const items = found.map((element, i) => this.item(element, form, max === 1 ? path : `${path}[${i}]`));
    const values = items.map((item) => item.value);
    const besides = items.map((item) => item.beside);
    // JSON null keeps the places of a list where a value or its extension is missing (R4 §2.6.1.1).
    const joined = (list: readonly (FhirValue | undefined)[]): FhirValue =>
      max === 1 ? (list[0] ?? '') : (list.map((one) => one ?? null) as FhirValue[]);
    if (values.some((value) => value !== undefined)) object[form.name] = joined(values);
    if (besides.some((beside) => beside !== undefined)) object[`_${form.name}`] = joined(besides);
  }

  private item(element: XmlElement, form: Form, path: string): { value?: FhirValue; beside?: FhirObject } {
    if (form.primitive) return this.primitive(element, form.type, path);
    if (form.type === 'xhtml') return { value: narrative(element, path) };
    if (form.type === 'Resource') return { value: this.only(element, path) };
    return { value: this.object(element, this.definitions.shape(form.shape ?? form.type), path) };
  }

  private only(element: XmlElement, path: string): FhirObject {
    const [resource, ...more] = elementsOf(element, path);
    if (resource === undefined || more.length > 0 || element.attributes.size > 0)
      throw new XmlRefused(`${path} does not hold one resource`);
    return this.nested(resource, path);
  }

  private primitive(element: XmlElement, type: string, path: string): { value?: FhirValue; beside?: FhirObject } {
    const text = element.attributes.get('value');
    const rest = new Map([...element.attributes].filter(([name]) => name !== 'value'));
    const beside = this.object({ ...element, attributes: rest }, this.definitions.shape('Element'), path);
    const hasBeside = Object.keys(beside).length > 0;
    if (text === undefined && !hasBeside) throw new XmlRefused(`${path} has neither value nor extension`);
    return { ...(text === undefined ? {} : { value: valueOf(type, text, path) }), ...(hasBeside ? { beside } : {}) };
  }
}

function definitionOf(shape: Shape, name: string, path: string): readonly [Element, Form] {
  const form = shape.forms.get(name);
  const element = shape.elements.find(({ forms }) => form !== undefined && forms.includes(form));
  const isAttribute = !shape.isResource && isAttributeOf(shape, name);
  if (form === undefined || element === undefined || isAttribute)
    throw new XmlRefused(`an element in ${path} that R4 does not define there`);
  return [element, form];
}

/** `id` of an element and `url` of an extension are attributes (R4 §2.6.2). */
const isAttributeOf = (shape: Shape, name: string): boolean => name === 'id' || (name === 'url' && shape.path === 'Extension');

function attributesOf(element: XmlElement, shape: Shape, path: string): FhirObject {
  const object: FhirObject = {};
  for (const [name, value] of element.attributes) {
    if (name === 'xmlns' && value === FHIR) continue;
    if (shape.isResource || !isAttributeOf(shape, name)) throw new XmlRefused(`an attribute of ${path} that R4 does not define there`);
    object[name] = value;
  }
  return object;
}

function elementsOf(element: XmlElement, path: string): readonly XmlElement[] {
  return element.children.flatMap((child) => {
    if (typeof child !== 'string') return [child];
    if (child.trim() !== '') throw new XmlRefused(`text in ${path}`);
    return [];
  });
}

function valueOf(type: string, text: string, path: string): FhirValue {
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (INTEGERS.has(type) && /^-?(?:0|[1-9]\d{0,10})$/.test(text)) return Number(text);
  if (type === 'decimal') return decimal(text, path);
  if (type === 'boolean' || INTEGERS.has(type)) throw new XmlRefused(`${path} is no ${type}`);
  return text;
}

function decimal(text: string, path: string): DecimalText {
  try {
    return new DecimalText(text);
  } catch {
    throw new XmlRefused(`${path} is no decimal`);
  }
}

function narrative(div: XmlElement, path: string): string {
  if (div.attributes.get('xmlns') !== XHTML) throw new XmlRefused(`${path} is not in the namespace of XHTML`);
  return xmlText(div);
}
