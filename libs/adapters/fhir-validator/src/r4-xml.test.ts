import { PortolanError } from '@portolan/contracts';
import { toFhirJson, parseFhirJson, type FhirObject } from '@portolan/domain';
import fc from 'fast-check';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { R4Definitions } from './r4-definitions.js';
import { R4Validator } from './r4-validator.adapter.js';
import { R4Xml } from './r4-xml.adapter.js';
import { ipsDocument } from './test/ips-document.fixture.js';

const definitions = new R4Definitions();
const xml = new R4Xml(definitions);
const patient = (inner: string): string => `<Patient xmlns="http://hl7.org/fhir">${inner}</Patient>`;
const roundTrip = (json: string): unknown => JSON.parse(xml.toJson(xml.toXml(json)));
const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof PortolanError) return `${error.code} ${error.detail ?? ''}`;
    throw error;
  }
  return 'accepted';
};

describe('XML and JSON are texts of one resource', () => {
  it('a summary comes back the same, and is still valid', () => {
    const json = JSON.stringify(ipsDocument());
    expect(roundTrip(json)).toEqual(JSON.parse(json));
    expect(new R4Validator(definitions).validate(parseFhirJson(xml.toJson(xml.toXml(json)), 't'), { profile: 'ips' })).toEqual([]);
  });

  it.each(['1.50', '0.10', '100', '1e3', '-0.05', '12345678901234567890.12'])('the decimal %s keeps its digits both ways', (digits) => {
    const json = `{"resourceType":"Observation","valueQuantity":{"value":${digits}}}`;
    expect(xml.toXml(json)).toContain(`<value value="${digits}"/>`);
    expect(xml.toJson(xml.toXml(json))).toBe(json);
  });

  it.each<[string, object]>([
    [
      'a gap in a list of values',
      { name: [{ given: [null, 'Mari', 'Ann'], _given: [{ extension: [{ url: 'urn:x', valueString: 'y' }] }, null, { id: 'g' }] }] },
    ],
    ['an extension without a value', { _birthDate: { extension: [{ url: 'urn:x', valueCode: 'unknown' }] } }],
    ['false and zero', { active: false, multipleBirthInteger: 0 }],
    ['characters that XML escapes', { name: [{ text: 'a &amp; <b> "q" \' \n\t\r x & y ☃ 😀' }] }],
    [
      'ids and nested extensions',
      {
        name: [{ id: 'n', family: 'x' }],
        extension: [{ url: 'urn:a', extension: [{ url: 'b', valueUuid: 'urn:uuid:c757873d-ec9a-4326-a141-556f43239520' }] }],
      },
    ],
    [
      'contained resources',
      { contained: [{ resourceType: 'Organization', id: 'o', name: 'x' }], managingOrganization: { reference: '#o' } },
    ],
    [
      'escaped markup in a narrative',
      {
        text: {
          status: 'generated',
          div: '<div xmlns="http://www.w3.org/1999/xhtml"><p class="a&quot;b">1 &lt; 2 &amp;amp; <b>x</b> &amp;lt;script&amp;gt;</p><br/> end</div>',
        },
      },
    ],
    ['a long attachment', { photo: [{ contentType: 'image/png', data: 'AAAA'.repeat(50_000) }] }],
  ])('%s', (_name, members) => {
    const resource = { resourceType: 'Patient', ...members };
    expect(roundTrip(JSON.stringify(resource))).toEqual(resource);
  });

  it('any text and decimal survives', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((s) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(s));
    const decimal = fc.tuple(fc.integer(), fc.stringMatching(/^\d{1,9}$/)).map(([w, f]) => `${w}.${f}`);
    fc.assert(
      fc.property(text, decimal, (note, digits) => {
        const json = `{"resourceType":"Observation","valueQuantity":{"value":${digits}},"note":[{"text":${JSON.stringify(note)}}]}`;
        expect(xml.toJson(xml.toXml(json))).toBe(json);
      }),
    );
  });

  it('FHIR.js reads and writes the same summary', () => {
    const { Fhir } = createRequire(import.meta.url)('fhir') as {
      Fhir: new () => { xmlToJson(xml: string): string; objToXml(o: object): string };
    };
    const peer = new Fhir();
    const json = JSON.stringify(ipsDocument());
    expect(JSON.parse(peer.xmlToJson(xml.toXml(json)))).toEqual(JSON.parse(json));
    expect(JSON.parse(xml.toJson(peer.objToXml(ipsDocument())))).toEqual(JSON.parse(json));
  });

  it('comments, the declaration and schema hints are no content', () => {
    const text = `\uFEFF<?xml version="1.0" encoding="UTF-8"?><!-- c --><Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"><!-- c -->
      <active value="true"><!-- c --></active></Patient>`;
    expect(JSON.parse(xml.toJson(text))).toEqual({ resourceType: 'Patient', active: true });
  });
});

describe('XML that cannot be read without doubt or loss is refused', () => {
  it.each([
    ['', 'no element'],
    ['x', 'not well-formed in line 1'],
    ['<Patient', 'not well-formed in line 1'],
    ['<Patient xmlns="http://hl7.org/fhir"><active></Patient>', 'not well-formed in line 1'],
    [`<!DOCTYPE Patient [<!ENTITY a SYSTEM "file:///etc/passwd">]>${patient('<id value="&a;"/>')}`, 'a document type is not allowed'],
    [`<!doctype x>${patient('')}`, 'a document type is not allowed'],
    [patient('<id value="&nbsp;"/>'), 'not well-formed in line 1'],
    [`${patient('')}${patient('')}`, 'more than one root'],
    [`<?php x?>${patient('')}`, 'a processing instruction is not allowed'],
    ['<Patient/>', 'the root is not in the namespace of FHIR'],
    ['<Patient xmlns="urn:hl7-org:v3"/>', 'the root is not in the namespace of FHIR'],
    ['<f:Patient xmlns:f="http://hl7.org/fhir"/>', 'the root is not in the namespace of FHIR'],
    ['<Shoe xmlns="http://hl7.org/fhir"/>', 'the root is no resource of R4'],
    [patient('<shoe value="1"/>'), 'an element in Patient that R4 does not define there'],
    [patient('<name><shoe value="1"/></name>'), 'an element in Patient.name[0] that R4 does not define there'],
    [patient('<active value="true" lang="et"/>'), 'an attribute of Patient.active that R4 does not define there'],
    [patient('<name use="x"/>'), 'an attribute of Patient.name[0] that R4 does not define there'],
    [patient('<name><id value="x"/></name>'), 'an element in Patient.name[0] that R4 does not define there'],
    [patient('text'), 'text in Patient'],
    [patient('<active>true</active>'), 'text in Patient.active'],
    [patient('<active/>'), 'Patient.active has neither value nor extension'],
    [patient('<active value="yes"/>'), 'Patient.active is no boolean'],
    [patient('<active value="true"/><active value="false"/>'), 'Patient.active stands more than 1 times'],
    [patient('<multipleBirthInteger value="01"/>'), 'Patient.multipleBirthInteger is no integer'],
    [patient('<extension url="x"><valueDecimal value="01.5"/></extension>'), 'Patient.extension[0].valueDecimal is no decimal'],
    [patient('<contained/>'), 'Patient.contained[0] does not hold one resource'],
    [patient('<text><status value="generated"/><div>x</div></text>'), 'Patient.text.div is not in the namespace of XHTML'],
    [patient('<extension url="x">'.repeat(80) + '</extension>'.repeat(80)), 'nested deeper than 64'],
  ])('%s', (text, detail) => {
    expect(refusal(() => xml.toJson(text))).toBe(`fhir.xml-invalid ${detail}`);
  });

  it('more characters than the limit', () => {
    expect(refusal(() => new R4Xml(definitions, 100).toJson(patient(' '.repeat(100))))).toBe('fhir.xml-invalid longer than 100 characters');
  });

  it('nothing but a coded refusal, whatever the text', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('<name>', '</name>', '<given value="x"/>', '<!--', '-->', '&#x0;', '&lt;', '<![CDATA[', ']]>', '<?xml?>'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        expect(refusal(() => xml.toJson(patient(pieces.join(''))))).toMatch(/^(accepted|fhir\.xml-invalid)/);
      }),
    );
  });
});

describe('JSON that has no place in XML is refused', () => {
  it.each<[string, string, string]>([
    ['an unknown member', '{"resourceType":"Patient","shoe":1}', 'member 1 of Patient is no element of R4'],
    ['an unknown type', '{"resourceType":"Shoe"}', 'the root is no resource of R4'],
    ['a text for an object', '{"resourceType":"Patient","name":["x"]}', 'Patient.name[0] is no object'],
    ['an object for a text', '{"resourceType":"Patient","gender":{}}', 'Patient.gender is no primitive value'],
    ['a control character', '{"resourceType":"Patient","id":"a\\u0001"}', 'Patient.id holds a character that XML cannot carry'],
    ['half a surrogate pair', '{"resourceType":"Patient","id":"\\ud800"}', 'Patient.id holds a character that XML cannot carry'],
    ['a broken narrative', '{"resourceType":"Patient","text":{"status":"generated","div":"<div>"}}', 'not well-formed in line 1'],
    ['no JSON', '{', 'not JSON'],
  ])('%s', (_name, json, detail) => {
    expect(refusal(() => xml.toXml(json))).toBe(`fhir.json-invalid ${detail}`);
  });

  it('a tree is written as its text is', () => {
    const tree = parseFhirJson('{"resourceType":"Observation","valueQuantity":{"value":1.50}}', 't');
    expect(xml.toXml(tree)).toBe(xml.toXml(toFhirJson(tree as FhirObject)));
  });
});
