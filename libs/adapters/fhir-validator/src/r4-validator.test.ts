import { isRefused, parseFhirJson, type ValidationIssue } from '@portolan/domain';
import { describe, expect, it } from 'vitest';
import { FhirJsPass } from './fhirjs.js';
import { R4Validator } from './r4-validator.adapter.js';
import { BROKEN_DOCUMENTS } from './test/broken-documents.fixture.js';
import { ipsDocument, resourceOf } from './test/ips-document.fixture.js';

const validator = new R4Validator();
const errors = (issues: readonly ValidationIssue[]): string[] =>
  issues
    .filter((i) => i.severity === 'error' || i.severity === 'fatal')
    .map((i) => `${i.code} ${i.path}${i.rule === undefined ? '' : ` ${i.rule}`}`);
/* eslint-disable-next-line @typescript-eslint/no-explicit-any -- broken on purpose */
type Loose = any;

const observation: Loose = { resourceType: 'Observation', id: 'o', status: 'final', code: { text: 'Hb' } };
const patient: Loose = { resourceType: 'Patient', id: 'p' };
const withDiv = (inner: string): object => ({
  ...patient,
  text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${inner}</div>` },
});

describe('what is right passes', () => {
  it.each<[string, unknown]>([
    ['a bare observation', observation],
    ['a summary', ipsDocument()],
    ['a large summary', ipsDocument(34)],
    [
      'a decimal with digits',
      parseFhirJson('{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}}', 't'),
    ],
    [
      'an element that says by extension why it has no value',
      { ...patient, _birthDate: { extension: [{ url: 'urn:x', valueCode: 'unknown' }] } },
    ],
    [
      'a required element that says by extension why it has no value',
      {
        resourceType: 'MessageHeader',
        eventCoding: { system: 'http://terminology.hl7.org/CodeSystem/v2-0003', code: 'A01' },
        source: {
          name: 'LIS',
          _endpoint: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }] },
        },
      },
    ],
    [
      'a list with a gap',
      { ...patient, name: [{ given: [null, 'Mari'], _given: [{ extension: [{ url: 'urn:x', valueString: 'y' }] }, null] }] },
    ],
    [
      'a required code with one more coding',
      {
        ...resourceOf(ipsDocument(), 'Condition'),
        clinicalStatus: {
          coding: [
            { system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' },
            { system: 'urn:local', code: 'A' },
          ],
        },
      },
    ],
    ['a reference to a version', { ...observation, subject: { reference: 'Patient/p/_history/2' } }],
    ['a no-break space', { ...observation, note: [{ text: 'avant\u00a0: après' }] }],
    [
      'false where a choice is required',
      {
        resourceType: 'Group',
        type: 'person',
        actual: false,
        characteristic: [{ code: { text: 'c' }, valueBoolean: false, exclude: false }],
      },
    ],
    [
      'a narrative with an inline image and a link',
      withDiv(
        '<p style="color:red">x <a href="https://example.org/a?b=1&amp;c=2">l</a><img src="data:image/png;base64,AAAA" alt="i"/></p>',
      ),
    ],
    [
      'a contained resource that refers to its container',
      {
        ...patient,
        contained: [{ resourceType: 'Observation', id: 'c', status: 'final', code: { text: 'x' }, subject: { reference: '#' } }],
      },
    ],
  ])('%s', (_name, resource) => {
    expect(errors(validator.validate(resource))).toEqual([]);
  });

  it('a summary keeps the rules of IPS too', () => {
    expect(validator.validate(ipsDocument(34), { profile: 'ips' })).toEqual([]);
  });

  it('a resource without narrative is warned about, not refused', () => {
    const issues = validator.validate(observation);
    expect(issues.map((i) => [i.severity, i.rule])).toEqual([['warning', 'dom-6']]);
    expect(isRefused(issues)).toBe(false);
  });
});

describe('a broken resource is refused with place and rule', () => {
  it.each<[string, unknown, string]>([
    ['no object', 'x', 'structure '],
    ['null', null, 'structure '],
    ['no resource type', {}, 'structure '],
    ['an unknown resource type', { resourceType: 'Shoe' }, 'structure '],
    ['an abstract resource type', { resourceType: 'DomainResource' }, 'structure '],
    ['a required element missing', { ...observation, status: undefined }, 'required Observation.status'],
    [
      'a required element of a data type missing',
      { ...patient, link: [{ other: { reference: 'Patient/q' } }] },
      'required Patient.link[0].type',
    ],
    [
      'a required choice missing',
      { resourceType: 'Immunization', status: 'completed', vaccineCode: { text: 'v' }, patient: { reference: 'Patient/p' } },
      'required Immunization.occurrence',
    ],
    ['an unknown element', { ...observation, shoe: 1 }, 'structure Observation'],
    ['an unknown element deep inside', { ...observation, code: { coding: [{ codee: 'x' }] } }, 'structure Observation.code.coding[0]'],
    ['an element of another version', { ...observation, instantiatesCanonical: 'http://x' }, 'structure Observation'],
    ['an element that only one vendor’s server knows', { ...patient, meta: { project: 'x' } }, 'structure Patient.meta'],
    ['a number for a string', { ...observation, code: { text: 5 } }, 'value Observation.code.text'],
    ['a string for a number', { ...observation, valueQuantity: { value: '5.4' } }, 'value Observation.valueQuantity.value'],
    ['a string for a boolean', { ...patient, active: 'true' }, 'value Patient.active'],
    ['an object for a string', { ...patient, gender: {} }, 'value Patient.gender'],
    ['an object for a list', { ...patient, name: { family: 'x' } }, 'structure Patient.name'],
    ['a list for an object', { ...observation, code: [{ text: 'x' }] }, 'structure Observation.code'],
    ['an empty list', { ...patient, name: [] }, 'structure Patient.name'],
    ['an empty object', { ...patient, name: [{}] }, 'structure Patient.name[0] ele-1'],
    ['an empty string', { ...patient, name: [{ family: '' }] }, 'value Patient.name[0].family'],
    ['null in a list', { ...patient, name: [null] }, 'structure Patient.name[0]'],
    ['two forms of a choice', { ...observation, valueString: 'x', valueBoolean: true }, 'structure Observation.value'],
    ['a form that the choice does not have', { ...observation, valueDecimal: 1 }, 'structure Observation'],
    ['a fraction for a whole number', { ...observation, valueInteger: 1.5 }, 'value Observation.valueInteger'],
    ['a positive number that is not', { ...patient, telecom: [{ rank: 0 }] }, 'value Patient.telecom[0].rank'],
    ['a date that is none', { ...patient, birthDate: '1990-02-30' }, 'value Patient.birthDate'],
    ['a local date format', { ...patient, birthDate: '01.01.1990' }, 'value Patient.birthDate'],
    ['an instant without offset', { ...observation, issued: '2026-01-01T10:00:00' }, 'value Observation.issued'],
    ['an id with a blank', { ...patient, id: 'a b' }, 'value Patient.id'],
    ['base64 that is none', { resourceType: 'Binary', contentType: 'text/plain', data: 'a*b=' }, 'value Binary.data'],
    ['a MIME type that is none', { resourceType: 'Binary', contentType: 'word file' }, 'code-invalid Binary.contentType'],
    ['a control character', { ...observation, note: [{ text: 'a\u0000b' }] }, 'value Observation.note[0].text'],
    ['a code that the standard does not know', { ...observation, status: 'done' }, 'code-invalid Observation.status'],
    ['a gender of HL7 v2', { ...patient, gender: 'F' }, 'code-invalid Patient.gender'],
    [
      'a concept outside a required set',
      { ...resourceOf(ipsDocument(), 'Condition'), clinicalStatus: { text: 'active' } },
      'code-invalid Condition.clinicalStatus',
    ],
    [
      'a code under another system',
      { ...resourceOf(ipsDocument(), 'Condition'), clinicalStatus: { coding: [{ system: 'urn:x', code: 'active' }] } },
      'code-invalid Condition.clinicalStatus',
    ],
    ['a reference to a type not allowed', { ...observation, subject: { reference: 'Organization/o' } }, 'value Observation.subject'],
    [
      'an absolute reference to a type not allowed',
      { ...observation, subject: { reference: 'https://x.example/fhir/Organization/o' } },
      'value Observation.subject',
    ],
    [
      'a reference whose type disagrees',
      { ...observation, subject: { reference: 'Patient/p', type: 'Group' } },
      'value Observation.subject',
    ],
    ['a reference that is no address', { ...observation, subject: { reference: 'Mari' } }, 'value Observation.subject'],
    ['a reference to nothing contained', { ...observation, subject: { reference: '#p' } }, 'not-found Observation.subject ref-1'],
    [
      'a contained resource that nobody names',
      { ...observation, contained: [{ resourceType: 'Patient', id: 'p' }] },
      'invariant Observation.contained[0] dom-3',
    ],
    [
      'a contained resource in a contained one',
      {
        ...observation,
        subject: { reference: '#p' },
        contained: [
          {
            resourceType: 'Patient',
            id: 'p',
            contained: [{ resourceType: 'Patient', id: 'q' }],
            link: [{ other: { reference: '#p' }, type: 'refer' }],
          },
        ],
      },
      'invariant Observation dom-2',
    ],
    [
      'a contained resource with a version',
      { ...observation, subject: { reference: '#p' }, contained: [{ resourceType: 'Patient', id: 'p', meta: { versionId: '1' } }] },
      'invariant Observation dom-4',
    ],
    [
      'a value and a reason for its absence',
      { ...observation, valueString: 'x', dataAbsentReason: { text: 'y' } },
      'invariant Observation obs-6',
    ],
    [
      'a component that repeats the code with a value',
      {
        ...observation,
        code: { coding: [{ system: 's', code: 'c' }] },
        valueString: 'x',
        component: [{ code: { coding: [{ system: 's', code: 'c' }] } }],
      },
      'invariant Observation obs-7',
    ],
    [
      'a reference range with nothing in it',
      { ...observation, referenceRange: [{ appliesTo: [{ text: 'x' }] }] },
      'invariant Observation.referenceRange[0] obs-3',
    ],
    [
      'a period that ends before it starts',
      { ...observation, effectivePeriod: { start: '2026', end: '2025' } },
      'invariant Observation.effectivePeriod per-1',
    ],
    [
      'a unit code without system',
      { ...observation, valueQuantity: { value: 1, code: 'mg' } },
      'invariant Observation.valueQuantity qty-3',
    ],
    [
      'a simple quantity with a comparator',
      { ...observation, referenceRange: [{ low: { value: 1, comparator: '<' } }] },
      'invariant Observation.referenceRange[0].low sqty-1',
    ],
    ['a contact with nothing to contact', { ...patient, contact: [{ gender: 'male' }] }, 'invariant Patient.contact[0] pat-1'],
    ['a telecom without system', { ...patient, telecom: [{ value: 'x' }] }, 'invariant Patient.telecom[0] cpt-2'],
    [
      'an extension with value and extensions',
      { ...patient, extension: [{ url: 'urn:x', valueString: 'x', extension: [{ url: 'y', valueString: 'y' }] }] },
      'invariant Patient.extension[0] ext-1',
    ],
    ['an extension without address', { ...patient, extension: [{ valueString: 'x' }] }, 'required Patient.extension[0].url'],
    [
      'extensions beside values, of another number',
      { ...patient, name: [{ given: ['a', 'b'], _given: [null] }] },
      'structure Patient.name[0].given',
    ],
    ['neither value nor extension', { ...patient, _birthDate: { id: 'x' } }, 'structure Patient.birthDate'],
    ['a collection with total', { resourceType: 'Bundle', type: 'collection', total: 1 }, 'invariant Bundle bdl-1'],
    [
      'entries with one address twice',
      {
        resourceType: 'Bundle',
        type: 'collection',
        entry: [
          { fullUrl: 'urn:uuid:a', resource: patient },
          { fullUrl: 'urn:uuid:a', resource: patient },
        ],
      },
      'invariant Bundle bdl-7',
    ],
    ['a narrative that is not well-formed', withDiv('<p>x'), 'structure Patient.text.div txt-1'],
    ['a narrative with nothing in it', withDiv('<p> </p>'), 'structure Patient.text.div txt-2'],
    ['a script', withDiv('<script>alert(1)</script>'), 'security Patient.text.div txt-1'],
    ['an event', withDiv('<p onclick="x()">x</p>'), 'security Patient.text.div txt-1'],
    ['a link that runs', withDiv('<a href="java&#10;script:x()">x</a>'), 'security Patient.text.div txt-1'],
    ['an image from elsewhere', withDiv('<img src="https://tracker.example/x.png"/>'), 'security Patient.text.div txt-1'],
    ['a style that loads', withDiv('<p style="background:url(https://x.example)">x</p>'), 'security Patient.text.div txt-1'],
    ['a form', withDiv('<form action="x"><input/></form>'), 'security Patient.text.div txt-1'],
    ['a frame in another namespace', withDiv('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'security Patient.text.div txt-1'],
    ['an entity of HTML', withDiv('a&nbsp;b'), 'structure Patient.text.div txt-1'],
    [
      'a document type in a narrative',
      { ...patient, text: { status: 'generated', div: '<!DOCTYPE div><div xmlns="http://www.w3.org/1999/xhtml">x</div>' } },
      'structure Patient.text.div txt-1',
    ],
  ])('%s', (_name, resource, expected) => {
    const issues = validator.validate(resource);
    expect(isRefused(issues)).toBe(true);
    expect(errors(issues)).toContain(expected);
  });
});

describe('a broken summary is refused with place and rule', () => {
  it.each(BROKEN_DOCUMENTS)('$name', ({ breakIt, expected, profile }) => {
    const bundle = ipsDocument();
    breakIt(bundle);
    expect(errors(validator.validate(bundle, profile === undefined ? {} : { profile }))).toContain(expected);
    if (profile !== undefined) expect(errors(validator.validate(bundle))).toEqual([]);
  });

  it('FHIR.js’s structural pass alone lets all but one of them by: it is a pass, not the gate', () => {
    const alone = new FhirJsPass();
    const passed = BROKEN_DOCUMENTS.filter(({ breakIt }) => {
      const bundle = ipsDocument();
      breakIt(bundle);
      return alone.issues(bundle).length === 0;
    });
    expect(alone.issues({ resourceType: 'Bundle', entry: {} }).length).toBeGreaterThan(1);
    expect(passed.map(({ name }) => name)).toHaveLength(BROKEN_DOCUMENTS.length - 1);
  });

  it('a profile is asked of a document alone', () => {
    expect(errors(validator.validate(patient, { profile: 'ips' }))).toEqual(['invariant Bundle ips-document']);
  });
});

describe('bounds', () => {
  it('a finding names places and never content', () => {
    const canary = 'Kanaarilind';
    const broken = {
      ...patient,
      [canary]: canary,
      gender: canary,
      birthDate: canary,
      id: `${canary} ${canary}`,
      managingOrganization: { reference: canary },
      extension: [{ url: canary, [canary]: canary }],
      text: { status: canary, div: `<div><${canary}>${canary}` },
    };
    expect(JSON.stringify(validator.validate(broken))).not.toContain(canary);
    expect(validator.validate(broken).length).toBeGreaterThan(6);
  });

  it('no more than a hundred findings, however broken', () => {
    const name = Array.from({ length: 5000 }, () => ({}));
    expect(validator.validate({ ...patient, name })).toHaveLength(100);
  });

  it('an error is told however many remarks stand before it', () => {
    const entry = Array.from({ length: 150 }, (_, i) => ({ fullUrl: `urn:uuid:${i}`, resource: { ...patient, id: `p${i}` } }));
    (entry[149] as Loose).resource.contact = [{ gender: 'male' }];
    const issues = validator.validate({ resourceType: 'Bundle', type: 'collection', entry });
    expect(errors(issues)).toEqual(['invariant Bundle.entry[149].resource.contact[0] pat-1']);
    expect(issues).toHaveLength(101);
  });

  it('more rules than a second’s work are not evaluated: the resource is refused', () => {
    const component = Array.from({ length: 20_001 }, () => ({ code: { text: 'c' }, valueQuantity: { value: 1 } }));
    expect(errors(validator.validate({ ...observation, component }))).toEqual(['too-costly ']);
  });

  it('nesting without end is refused, not followed', () => {
    const loop: Loose = { ...patient };
    loop.contained = [loop];
    expect(isRefused(validator.validate(loop))).toBe(true);
    let deep: Loose = { url: 'urn:x', valueString: 'x' };
    for (let i = 0; i < 200; i += 1) deep = { url: 'urn:x', extension: [deep] };
    expect(isRefused(validator.validate({ ...patient, extension: [deep] }))).toBe(true);
  });

  it('a summary of 40 resources takes well under 300 ms of a processor', () => {
    const bundle = ipsDocument(33);
    expect(bundle.entry).toHaveLength(40);
    validator.validate(bundle, { profile: 'ips' });
    const start = process.threadCpuUsage();
    validator.validate(bundle, { profile: 'ips' });
    const { user, system } = process.threadCpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(300);
  });
});
