import { describe, expect, it } from 'vitest';
import { allowedAttributes, telemetrySpanName } from './telemetry.port.js';

describe('what a span may say', () => {
  it.each([
    ['portolan.step', 'seal'],
    ['portolan.transfer', '0b0e7b8a-4c1d-4f4e-9a52-9a4b7c1d2e3f'],
    ['portolan.partner', 'PT'],
    ['portolan.outcome', 'refused'],
    ['portolan.error', 'seal.signature-invalid'],
    ['portolan.count', 17],
    ['portolan.bytes', 2_000_000],
    ['http.request.method', 'POST'],
    ['http.route', '/fhir/Patient/{id}/$summary'],
    ['http.response.status_code', 404],
  ])('%s = %s', (name, value) => expect(allowedAttributes({ [name]: value })).toEqual({ [name]: value }));

  it.each([
    ['a name of nobody knows what', 'patient.name', 'Mari Näidis'],
    ['a name that objects inherit', 'constructor', 'x'],
    ['a person in a step', 'portolan.step', 'Mari Näidis'],
    ['an identifier as a transfer', 'portolan.transfer', '48001010000'],
    ['an identifier in a route', 'http.route', '/fhir/Patient/48001010000'],
    ['a query in a route', 'http.route', '/fhir/Patient?name=Mari'],
    ['a text as an error', 'portolan.error', 'Glucose 17.2 mmol/l of Mari'],
    ['a text as a count', 'portolan.count', 'E11.9'],
    ['a fraction as a count', 'portolan.count', 7.2],
    ['an object', 'portolan.step', { toString: () => 'seal' }],
    ['a second line', 'portolan.outcome', 'refused\nMari'],
  ])('%s is dropped', (_, name, value) => expect(allowedAttributes({ [name]: value })).toEqual({}));

  it.each(['pipeline seal', 'POST /fhir/Patient/{id}', 'hl7v2 read'])('a span may be called %s', (name) =>
    expect(name).toMatch(telemetrySpanName),
  );

  it.each(['', 'patient 48001010000', 'Näidis', 'a\nb', 'x'.repeat(81)])('a span may not be called %j', (name) =>
    expect(name).not.toMatch(telemetrySpanName),
  );
});
