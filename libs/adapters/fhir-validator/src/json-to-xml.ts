import { DecimalText, isFhirObject, type FhirObject, type FhirValue } from '@portolan/domain';
import { narrativeText } from './narrative.js';
import type { Form, R4Definitions, Shape } from './r4-definitions.js';
import type { XmlReader } from './xml-reader.js';
import { XmlRefused } from './xml-reader.js';
import { attribute, UNWRITABLE } from './xml-writer.js';
import { FHIR } from './xml-to-json.js';

type Value = FhirValue | null | undefined;

/** FHIR XML of a FHIR JSON tree, elements in the order of the definitions. Throws XmlRefused for what has no place in XML. */
export class JsonToXml {
  constructor(
    private readonly definitions: R4Definitions,
    private readonly reader: XmlReader,
  ) {}

  document(resource: FhirObject): string {
    return `<?xml version="1.0" encoding="UTF-8"?>${this.resource(resource, 'the root', attribute('xmlns', FHIR))}`;
  }

  private resource(value: Value, path: string, attributes = ''): string {
    const type = isObject(value) ? value['resourceType'] : undefined;
    if (!isObject(value) || typeof type !== 'string' || !this.definitions.isResource(type))
      throw new XmlRefused(`${path} is no resource of R4`);
    const { resourceType: _, ...members } = value;
    return element(type, attributes, this.members(members, this.definitions.shape(type), path === 'the root' ? type : path));
  }

  private members(node: FhirObject, shape: Shape, path: string): string {
    Object.keys(node).forEach((name, at) => {
      const form = shape.forms.get(name.replace(/^_/, ''));
      if (form === undefined || (name.startsWith('_') && !form.primitive))
        throw new XmlRefused(`member ${at + 1} of ${path} is no element of R4`);
    });
    const inXml = [...shape.forms.values()].filter(({ name }) => shape.isResource || !isAttribute(shape, name));
    return inXml.map((form) => this.form(node, form, `${path}.${form.name}`)).join('');
  }

  private form(node: FhirObject, form: Form, path: string): string {
    const value: Value = node[form.name];
    const beside: Value = form.primitive ? node[`_${form.name}`] : undefined;
    if (value === undefined && beside === undefined) return '';
    if (!Array.isArray(value) && !Array.isArray(beside)) return this.item(value, beside, form, path);
    const [values, besides] = [listOf(value, path), listOf(beside, path)];
    return Array.from({ length: Math.max(values.length, besides.length) }, (_, i) =>
      this.item(values[i], besides[i], form, `${path}[${i}]`),
    ).join('');
  }

  private item(value: Value, beside: Value, form: Form, path: string): string {
    if (form.primitive) return this.primitive(value, beside, form, path);
    if (form.type === 'xhtml' && typeof value === 'string') return narrativeText(value, this.reader);
    if (!isObject(value)) throw new XmlRefused(`${path} is no object`);
    if (form.type === 'Resource') return element(form.name, '', this.resource(value, path));
    const shape = this.definitions.shape(form.shape ?? form.type);
    return element(form.name, attributesOf(value, shape, path), this.members(value, shape, path));
  }

  private primitive(value: Value, beside: Value, form: Form, path: string): string {
    const shape = this.definitions.shape('Element');
    const around = isObject(beside) ? beside : {};
    const text = value === undefined || value === null ? '' : attribute('value', textOf(value, path));
    return element(form.name, attributesOf(around, shape, path) + text, this.members(around, shape, path));
  }
}

const isObject = (value: Value): value is FhirObject => value !== null && isFhirObject(value);

const element = (name: string, attributes: string, content: string): string =>
  content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;

const isAttribute = (shape: Shape, name: string): boolean => name === 'id' || (name === 'url' && shape.path === 'Extension');

function attributesOf(node: FhirObject, shape: Shape, path: string): string {
  const names = ['id', 'url'].filter((name) => node[name] !== undefined && isAttribute(shape, name));
  return names.map((name) => attribute(name, textOf(node[name], `${path}.${name}`))).join('');
}

function listOf(value: Value, path: string): readonly Value[] {
  if (value !== undefined && !Array.isArray(value)) throw new XmlRefused(`${path} is a list beside no list`);
  return value ?? [];
}

function textOf(value: Value, path: string): string {
  if (value instanceof DecimalText) return value.text;
  if (value === undefined || value === null || typeof value === 'object') throw new XmlRefused(`${path} is no primitive value`);
  const text = String(value);
  if (UNWRITABLE.test(text)) throw new XmlRefused(`${path} holds a character that XML cannot carry`);
  return text;
}
