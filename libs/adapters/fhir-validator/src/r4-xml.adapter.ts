import { MAX_JSON_DEPTH, PortolanError } from '@portolan/contracts';
import { FhirXml, MAX_FHIR_CHARS, parseFhirJson, toFhirJson, type FhirObject } from '@portolan/domain';
import { JsonToXml } from './json-to-xml.js';
import { R4Definitions } from './r4-definitions.js';
import { XmlReader, XmlRefused } from './xml-reader.js';
import { XmlToJson } from './xml-to-json.js';

/** FHIR R4 XML and JSON by HL7's definitions; a strict reader (sax) stands before. Share its definitions with the validator. */
export class R4Xml extends FhirXml {
  private readonly reader = new XmlReader();
  private readonly reading: XmlToJson;
  private readonly writing: JsonToXml;

  constructor(
    definitions: R4Definitions = new R4Definitions(),
    private readonly maxChars: number = MAX_FHIR_CHARS,
  ) {
    super();
    this.reading = new XmlToJson(definitions);
    this.writing = new JsonToXml(definitions, this.reader);
  }

  override toJson(xml: string): string {
    return refusedAs('fhir.xml-invalid', 'the XML body', () => {
      const root = this.reader.read(xml, { chars: this.maxChars, depth: MAX_JSON_DEPTH });
      return toFhirJson(this.reading.resource(root));
    });
  }

  override toXml(json: string | FhirObject): string {
    const resource = typeof json === 'string' ? parseFhirJson(json, 'the JSON body', this.maxChars) : json;
    return refusedAs('fhir.json-invalid', 'the resource to write as XML', () => this.writing.document(resource));
  }
}

function refusedAs(code: 'fhir.xml-invalid' | 'fhir.json-invalid', where: string, act: () => string): string {
  try {
    return act();
  } catch (error) {
    if (error instanceof XmlRefused) throw new PortolanError(code, where, error.message);
    throw error;
  }
}
