import { Validators } from '@portolan/contracts';
import { countryPack, formats } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import { fhirShapes } from './fhir-shapes.js';

const validators = new Validators();
const shapes = fhirShapes();
const country = {
  country: 'ZZ',
  name: 'Made up',
  illustrative: true,
  languages: ['en'],
  personIdentifiers: [{ system: 'urn:portolan:demo:zz:person', name: 'number' }],
  search: { identifierSystems: ['urn:portolan:demo:zz:person'], traits: [] },
  formats: ['hl7v2'],
};

function load(map: object): void {
  const text = JSON.stringify(map, null, 1);
  const files = { 'country.json': country, 'maps/own.json': JSON.parse(text) as unknown };
  countryPack(files, validators, [], { 'maps/own.json': text }, shapes);
}

/** A map of a segment of the country's own, with one element rule. */
const withElement = (element: object, resource = 'Observation'): object => ({
  map: 'zz/own',
  format: 'hl7v2',
  resources: [{ id: 'zz-one', resource, each: ['//ZZZ'], elements: [{ id: 'zz.first', ...element }] }],
});

describe('what the rules of a country write', () => {
  it.each(formats.map(({ name }) => name))('is checked together with those of %s, which have no mistake', (format) => {
    expect(() => load({ map: 'zz/own', format })).not.toThrow();
  });
  it.each([
    [{ to: 'valueString', from: 'ZZZ-1', as: 'string' }],
    [{ to: '_valueString.extension[0].valueCode', constant: 'unknown' }],
    [{ to: 'component[].code', elements: [{ to: 'coding[0].code', constant: 'a' }] }],
    [{ to: 'contained[0].anything', constant: 'a' }],
    [{ to: 'identifier[]', from: 'ZZZ-1', as: 'EI' }],
  ])('may be %j', (element) => expect(() => load(withElement(element))).not.toThrow());
  it.each([
    ['an element that R4 has not', { to: 'valueStrng', from: 'ZZZ-1', as: 'string' }, 'Observation has no element valueStrng in R4'],
    ['one below it', { to: 'code.codng[0].code', constant: 'a' }, 'CodeableConcept has no element codng'],
    ['one of a backbone element', { to: 'component[0].valu', constant: 'a' }, 'Observation.component has no element valu'],
    ['one below a single value', { to: 'status.code', constant: 'a' }, 'a primitive has no element code'],
    ['a list without its place', { to: 'identifier', from: 'ZZZ-1', as: 'EI' }, 'identifier repeats in R4'],
    ['a place in what is no list', { to: 'code[0].text', constant: 'a' }, 'code does not repeat'],
    ['a code that R4 has not there', { to: 'status', constant: 'finl' }, 'R4 has no code finl'],
    ['a constant for an object', { to: 'code', constant: 'a' }, 'a constant, where R4 has a CodeableConcept'],
    ['an object for a single value', { to: 'status', elements: [{ to: 'text', constant: 'a' }] }, 'where R4 has a single value'],
    [
      'an element of an element',
      { to: 'code', elements: [{ id: 'zz.first', to: 'txt', constant: 'a' }] },
      'CodeableConcept has no element txt',
    ],
  ])('is refused, with file and line, for %s', (_, element, what) => {
    expect(() => load(withElement(element))).toThrow(
      expect.objectContaining({
        code: 'translate.map-invalid',
        where: expect.stringMatching(/^maps\/own\.json:(12|17) zz\.first$/) as string,
        detail: expect.stringContaining(what) as string,
      }),
    );
  });
  it('is refused for a resource that R4 has not', () => {
    expect(() => load(withElement({ to: 'status', constant: 'final' }, 'Observaton'))).toThrow(/makes the resource Observaton/);
  });
});
