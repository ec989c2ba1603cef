import { describe, expect, it } from 'vitest';
import { canBeCode, checkedDraft, PossibleCodes } from './checked-codes.js';
import type { Draft } from './drafts.js';
import type { Finding } from './findings.js';
import type { Mark } from './marks.js';

const draftOf = (resource: object, ...paths: readonly string[]): Draft => {
  const marks = paths.map((path) => ({ kind: 'source', path, rule: 'r', from: [{ path: `from ${path}` }] }) as unknown as Mark);
  return {
    resource: { resourceType: 'Observation', id: 'o', ...resource },
    marks,
    instance: {} as Draft['instance'],
    mention: false,
  };
};
const check = (draft: Draft): { draft: Draft; told: Finding[] } => {
  const told: Finding[] = [];
  return { draft: checkedDraft(draft, (one) => void told.push(one)), told };
};
const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';

describe('a code that cannot be of its system', () => {
  it('stays without the system, which is carried, and is told at its place', () => {
    const coding = [
      { system: LOINC, code: '14749-5', display: 'Glucose' },
      { system: LOINC, code: '14749-6' },
    ];
    const { draft, told } = check(draftOf({ code: { coding } }, 'code.coding[0].system', 'code.coding[0].code', 'code.coding[1].system'));
    expect(draft.resource['code']).toEqual({ coding: [{ display: 'Glucose', code: '14749-5' }, coding[1]] });
    expect(draft.marks.map(({ path }) => path)).toEqual(['code.coding[0].code', 'code.coding[1].system']);
    expect(told).toEqual([{ code: 'translate.code-impossible', path: 'from code.coding[0].code', rule: 'r' }]);
  });

  it('leaves a Quantity with its unit alone', () => {
    const bad = draftOf(
      { valueQuantity: { value: 1, unit: 'Stück', system: UCUM, code: 'Stück' } },
      'valueQuantity.unit',
      'valueQuantity.system',
    );
    const { draft, told } = check(bad);
    expect(draft.resource['valueQuantity']).toEqual({ value: 1, unit: 'Stück' });
    expect(told.map(({ path }) => path)).toEqual(['from valueQuantity.unit']);
    const nameless = check(draftOf({ valueQuantity: { value: 1, system: UCUM, code: 'Stück' } }, 'valueQuantity.code'));
    expect(nameless.draft.resource['valueQuantity']).toEqual({ value: 1, unit: 'Stück' });
    expect(nameless.draft.marks.map(({ path }) => path)).toEqual(['valueQuantity.unit']);
  });

  it('is found wherever it stands; what can be one, and other systems, are left as they are', () => {
    const inside = { component: [{ code: { coding: [{ system: 'http://snomed.info/sct', code: 'E11' }] } }] };
    expect(JSON.stringify(check(draftOf(inside)).draft.resource)).not.toContain('snomed');
    const good = draftOf({
      code: { coding: [{ system: 'urn:x', code: 'E11' }] },
      valueQuantity: { value: 1, system: UCUM, code: 'mmol/L' },
    });
    expect(check(good).draft).toBe(good);
  });
});

describe('codes that are remembered', () => {
  it('are answered for as those that are not, in every spelling of their system and beyond as many as are kept', () => {
    const possible = new PossibleCodes();
    const many = Array.from({ length: 2_100 }, (_, i) => `${i}-${i % 10}`);
    const codes = [...many, 'mmol/L', 'not a unit', '14749-6', 'mmol/L', '14749-6'];
    for (const system of [LOINC, 'urn:oid:2.16.840.1.113883.6.1', UCUM, 'urn:local:codes'])
      expect(codes.filter((code) => possible.has(system, code))).toEqual(codes.filter((code) => canBeCode(system, code)));
  });
});
