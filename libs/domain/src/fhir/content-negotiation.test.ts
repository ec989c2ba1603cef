import { PortolanError } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { answerFormat, bodyFormat, contentTypeOf } from './content-negotiation.js';

const outcomeOf = (act: () => string): string => {
  try {
    return act();
  } catch (error) {
    if (error instanceof PortolanError) return `${error.entry.http} ${error.code}`;
    throw error;
  }
};

describe('the format of the answer', () => {
  it.each([
    [undefined, undefined, 'json'],
    ['', undefined, 'json'],
    ['*/*', undefined, 'json'],
    ['application/fhir+xml', undefined, 'xml'],
    ['application/fhir+json;q=0.5, application/fhir+xml', undefined, 'xml'],
    ['application/xml;q=0.9,application/json;q=0.9', undefined, 'xml'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', undefined, 'json'],
    ['application/fhir+json; fhirVersion=4.0', undefined, 'json'],
    ['application/fhir+xml; fhirVersion="4.0"', undefined, 'xml'],
    ['application/fhir+xml', 'json', 'json'],
    ['text/html', 'application/fhir xml', 'xml'],
    ['application/fhir+json; fhirVersion=5.0', undefined, '406 fhir.not-acceptable'],
    ['application/fhir+json;q=0', undefined, '406 fhir.not-acceptable'],
    ['text/turtle', undefined, '406 fhir.not-acceptable'],
    ['constructor', undefined, '406 fhir.not-acceptable'],
    ['*/*', 'ttl', '406 fhir.not-acceptable'],
    [`${'a/b,'.repeat(300)}*/*`, undefined, '406 fhir.not-acceptable'],
  ])('Accept %s, _format %s: %s', (accept, format, expected) => {
    expect(outcomeOf(() => answerFormat(accept, format))).toBe(expected);
  });
});

describe('a form that is no FHIR', () => {
  const others = new Map([['application/hl7-v2', 'hl7v2' as const]]);
  it.each([
    ['application/hl7-v2', undefined, 'hl7v2'],
    ['application/fhir+json;q=0.9, application/hl7-v2', undefined, 'hl7v2'],
    ['application/fhir+json, application/hl7-v2;q=0.9', undefined, 'json'],
    ['*/*', undefined, 'json'],
    [undefined, 'application/hl7-v2', 'hl7v2'],
    ['application/cda+xml', undefined, '406 fhir.not-acceptable'],
  ])('Accept %s, _format %s: %s', (accept, format, expected) =>
    expect(outcomeOf(() => answerFormat(accept, format, others))).toBe(expected),
  );
  it('is none where none is named', () => expect(outcomeOf(() => answerFormat('application/hl7-v2', undefined))).toContain('406'));
});

describe('the format of a body', () => {
  it.each([
    ['application/fhir+json', 'json'],
    ['Application/FHIR+JSON; charset=UTF-8', 'json'],
    ['application/fhir+xml; fhirVersion=4.0', 'xml'],
    [undefined, '415 fhir.media-type-unsupported'],
    ['json', '415 fhir.media-type-unsupported'],
    ['application/fhir+json; charset=iso-8859-1', '415 fhir.media-type-unsupported'],
    ['application/fhir+json; fhirVersion=3.0', '415 fhir.media-type-unsupported'],
    ['text/plain', '415 fhir.media-type-unsupported'],
  ])('%s: %s', (contentType, expected) => {
    expect(outcomeOf(() => bodyFormat(contentType))).toBe(expected);
  });

  it('an answer says version and charset', () => {
    expect(contentTypeOf('xml')).toBe('application/fhir+xml; fhirVersion=4.0; charset=utf-8');
    expect(bodyFormat(contentTypeOf('json'))).toBe('json');
  });
});
