import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataCategory } from '@portolan/contracts';
import { categoriesOf } from './categories.js';
import { isWithin } from './clinical-time.js';
import { covers } from './covers.js';
import { escapeXhtml } from './narrative.js';
import type { StoredResource } from './record-source.port.js';
import { release, type ReleasePlan } from './release.js';
import type { Resource } from './resource.js';
import { narrow } from './scope.js';
import { isWellFormed } from './well-formed.fixture.js';
import { englishWording } from './wording.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const person = { system: 'urn:ee', value: '47101010033' };
const allCategories: DataCategory[] = ['summary', 'laboratory', 'medication', 'imaging', 'discharge', 'prescription', 'referral', 'claim'];

const dates = fc
  .integer({ min: 2015, max: 2026 })
  .chain((year) => fc.constantFrom(`${year}`, `${year}-05`, `${year}-05-20`, `${year}-05-20T10:00:00+02:00`));
const categories = fc.subarray(allCategories);
const window = fc.record({ since: fc.option(dates, { nil: undefined }), until: fc.option(dates, { nil: undefined }) });

const observationCategory = (code: string): unknown => [
  { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] },
];
const shapes = [
  { resourceType: 'Observation', category: observationCategory('laboratory'), at: 'effectiveDateTime' },
  { resourceType: 'Observation', category: observationCategory('vital-signs'), at: 'effectiveDateTime' },
  { resourceType: 'Observation', at: 'effectiveDateTime' },
  {
    resourceType: 'DiagnosticReport',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code: 'LAB' }] }],
    at: 'issued',
  },
  { resourceType: 'Condition', at: 'onsetDateTime' },
  { resourceType: 'AllergyIntolerance', at: 'recordedDate' },
  { resourceType: 'MedicationStatement', at: 'effectiveDateTime' },
  { resourceType: 'MedicationRequest', at: 'authoredOn' },
  { resourceType: 'ServiceRequest', at: 'authoredOn' },
  { resourceType: 'Encounter', at: 'period' },
  { resourceType: 'Provenance', at: 'recorded' },
  { resourceType: 'Practitioner', at: 'active' },
  { resourceType: 'Specimen', at: 'receivedTime' },
] as const;

interface Made {
  readonly resource: Resource;
  readonly canary: string;
}

/** A record whose resources each bear a canary in a code, refer to each other at random and carry hostile text. */
const records: fc.Arbitrary<readonly Made[]> = fc
  .array(
    fc.record({
      shape: fc.constantFrom(...shapes),
      date: fc.option(dates, { nil: undefined }),
      links: fc.array(fc.nat(20), { maxLength: 3 }),
      hostile: fc.string({ unit: 'binary', maxLength: 12 }),
    }),
    { maxLength: 14 },
  )
  .map((seeds) => {
    const key = (i: number): string | undefined => (seeds[i] === undefined ? undefined : `${seeds[i].shape.resourceType}/id-${i}`);
    return seeds.map(({ shape, date, links, hostile }, i) => {
      const { at, ...rest } = shape;
      const to = links.map((n) => ({ reference: key(n) ?? `Condition/gone-${n}`, display: `DISPLAY-${n}-` }));
      const canary = `CANARY-${i}-`;
      const resource = {
        ...rest,
        id: `id-${i}`,
        subject: { reference: 'Patient/p' },
        patient: { reference: 'Patient/p' },
        code: { text: `${canary}${hostile}` },
        note: [{ text: hostile }],
        ...(date === undefined ? {} : { [at]: date }),
        derivedFrom: to,
        performer: [{ actor: to[0] ?? { display: 'someone' }, function: { text: canary } }],
        extension: [{ url: 'urn:x', valueString: canary, valueReference: to[1] ?? {} }],
      };
      return { resource: resource as unknown as Resource, canary };
    });
  });

const patient = { resourceType: 'Patient', id: 'p', identifier: [person, { system: 'other', value: 'UNSENT' }] } as unknown as Resource;
const stored = (resource: Resource): StoredResource => ({
  type: resource.resourceType,
  id: resource['id'] as string,
  versionId: '1',
  lastUpdated: '2026-11-01T08:00:00.000Z',
  text: JSON.stringify(resource),
  categories: [],
  custodian: 'EE',
});

const plans = fc
  .record({ record: records, permitted: categories, asked: categories, limits: window, wanted: window })
  .map(({ record, permitted, asked, limits, wanted }) => {
    const plan: ReleasePlan = {
      permit: { categories: permitted, identifiers: [person], ...limits },
      asked: { categories: asked, ...wanted },
      gathered: [patient, ...record.map((m) => m.resource)].map(stored),
      custodian: { country: 'EE', identifier: { system: 'urn:o', value: '1' }, name: 'Hospital' },
      wording: englishWording,
      timestamp: '2026-11-21T10:00:00.000Z',
      sha256,
    };
    return { plan, record };
  });

const supporting = ['Practitioner', 'Specimen'];

describe('release, whatever the record', () => {
  it('shows nothing outside the scope, closes every reference, keeps the XHTML well-formed, and passes the receiver', () => {
    fc.assert(
      fc.property(plans, ({ plan, record }) => {
        const out = release(plan);
        if (out === undefined) return;
        const scope = narrow(plan.permit, plan.asked);
        for (const { resource, canary } of record) {
          const may =
            supporting.includes(resource.resourceType) ||
            (categoriesOf(resource).some((c) => scope.categories.includes(c)) && isWithin(resource, scope.since, scope.until));
          if (!may) expect(out.text).not.toContain(canary);
        }
        expect(out.text).not.toMatch(/UNSENT|urn:x|gone-|DISPLAY-/);
        const bundle = JSON.parse(out.text) as fhir4.Bundle;
        const urls = new Set(bundle.entry?.map((e) => e.fullUrl));
        for (const [, reference] of out.text.matchAll(/"reference":"([^"]*)"/g)) expect(urls).toContain(reference);
        for (const [, div] of out.text.matchAll(/"div":("(?:[^"\\]|\\.)*")/g))
          expect(isWellFormed(JSON.parse(div ?? '') as string)).toBe(true);
        expect(covers(plan.permit, out.text)).toEqual({ covered: true });
      }),
      { numRuns: 500 },
    );
  });

  it('does not tell data left out from data never recorded', () => {
    fc.assert(
      fc.property(plans, ({ plan, record }) => {
        const scope = narrow(plan.permit, plan.asked);
        const kept = record.filter(
          ({ resource }) =>
            supporting.includes(resource.resourceType) ||
            (categoriesOf(resource).some((c) => scope.categories.includes(c)) && isWithin(resource, scope.since, scope.until)),
        );
        const never = { ...plan, gathered: [patient, ...kept.map((m) => m.resource)].map(stored) };
        expect(release(never)?.text).toBe(release(plan)?.text);
      }),
      { numRuns: 150 },
    );
  });

  it('keeps the digits of any decimal', () => {
    const decimals = fc
      .tuple(fc.integer({ min: -999, max: 999 }), fc.stringMatching(/^[0-9]{1,20}$/))
      .map(([whole, part]) => `${whole}.${part}`);
    fc.assert(
      fc.property(decimals, (decimal) => {
        const made = stored({
          resourceType: 'Observation',
          id: 'o',
          category: observationCategory('laboratory'),
          subject: { reference: 'Patient/p' },
        } as unknown as Resource);
        const text = made.text.replace(/}$/, `,"valueQuantity":{"value":${decimal}}}`);
        const out = release({
          permit: { categories: ['laboratory'], identifiers: [person] },
          asked: { categories: ['laboratory'] },
          gathered: [stored(patient), { ...made, text }],
          custodian: { country: 'EE', identifier: { system: 'urn:o', value: '1' }, name: 'Hospital' },
          wording: englishWording,
          timestamp: '2026-11-21T10:00:00.000Z',
          sha256,
        });
        expect(out?.text).toContain(`"valueQuantity":{"value":${decimal}}`);
      }),
      { numRuns: 100 },
    );
  });

  it('escapes any text into well-formed XML 1.0', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (hostile) => {
        const text = escapeXhtml(hostile);
        expect(text).not.toMatch(/[<>"']/);
        expect(isWellFormed(`<p title="${text}">${text}</p>`)).toBe(true);
      }),
    );
  });
});
