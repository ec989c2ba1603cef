import { fromFhirJson, isFhirObject, toFhirJson, type FhirObject } from '@portolan/formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSearch } from '../fhir/index.js';
import { ensureTransferId, ensureViewId } from '../kernel/ids.js';
import type { View, ViewResource } from '../store/edge-tx.port.js';
import { adoptedResource, isAdoptable } from './adopt-item.js';
import { changedElements } from './changed-elements.js';
import { mayRead, newestDocument, noticeItems, searchViews, shownText, viewItems, type OpenView, type ViewReader } from './read-view.js';

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const view = (n: number, over: Partial<View> = {}): View => ({
  id: ensureViewId(uuid(n)),
  transferId: ensureTransferId(uuid(n)),
  permitId: uuid(n),
  custodian: 'PT',
  purpose: 'TREAT',
  caseId: uuid(99),
  openedFor: 'urn:prof|1',
  patientHandle: 'h',
  until: '2026-12-01T00:00:00.000Z',
  keyId: uuid(n),
  state: 'open',
  ...over,
});
const reader: ViewReader = { professional: 'urn:prof|1', purposes: ['TREAT'], caseId: undefined };
const now = '2026-11-21T00:00:00.000Z';

describe('who may read a view', () => {
  it.each<{ why: string; over?: Partial<View>; by?: Partial<ViewReader>; at?: string; may: boolean }>([
    { why: 'the professional for whom it was opened', may: true },
    { why: 'in the same case', by: { caseId: uuid(99) }, may: true },
    { why: 'after it was amended', over: { state: 'amended' }, may: true },
    { why: 'another professional', by: { professional: 'urn:prof|2' }, may: false },
    { why: 'another purpose', by: { purposes: ['HPAYMT'] }, may: false },
    { why: 'another case', by: { caseId: uuid(98) }, may: false },
    { why: 'after it was destroyed', over: { state: 'destroyed' }, may: false },
    { why: 'at its end', at: '2026-12-01T00:00:00.000Z', may: false },
  ])('$why: $may', ({ over, by, at = now, may }) => {
    expect(mayRead(view(1, over), { ...reader, ...by }, at)).toBe(may);
  });
});

const observation = (value: string): ViewResource => ({
  type: 'Observation',
  id: 'o',
  text: `{"resourceType":"Observation","id":"o","valueQuantity":{"value":${value}},"subject":{"reference":"Patient/h"}}`,
});
const bundle = (n: number, type: string): ViewResource => ({
  type: 'Bundle',
  id: uuid(n),
  text: `{"resourceType":"Bundle","type":"${type}"}`,
});
const open = (n: number, askedAt: string, resources: readonly ViewResource[], over: Partial<View> = {}): OpenView => ({
  view: view(n, over),
  askedAt,
  resources,
});

describe('what views show', () => {
  const older = open(1, '2026-11-01T00:00:00.000Z', [observation('1.0'), bundle(1, 'document')]);
  const newer = open(2, '2026-11-02T00:00:00.000Z', [observation('2.00'), bundle(2, 'collection')], { state: 'amended' });

  it('each entry once, as the newest has it', () => {
    const items = viewItems([older, newer]);
    expect(items.filter(({ type }) => type === 'Observation').map(({ text, view: from }) => [text.includes('2.00'), from.id])).toEqual([
      [true, uuid(2)],
    ]);
    expect(items).toHaveLength(3);
  });

  it('the newest document', () => {
    expect(newestDocument([older, newer])?.id).toBe(uuid(1));
    expect(newestDocument([newer])).toBeUndefined();
  });

  it('search finds by what is shown: tags and digits too', () => {
    const query = parseSearch('Observation', [
      ['_tag', 'urn:portolan:tag|amended'],
      ['patient', 'h'],
    ]);
    const { matches } = searchViews(query, viewItems([older, newer]), {});
    expect(matches.map(({ text }) => text.includes('2.00'))).toEqual([true]);
    expect(searchViews(query, viewItems([older]), {}).matches).toEqual([]);
    expect(shownText({ ...observation('1.0'), view: older.view })).not.toContain('amended');
  });

  it('the custodian is told of its own entries alone', () => {
    const items = [...viewItems([older]), { type: 'Patient', id: 'h' }, { type: 'Provenance', id: 't' }];
    expect(noticeItems(items, 'viewed')).toEqual([{ type: 'Observation', id: 'o', change: 'viewed' }]);
    expect(
      noticeItems(
        Array.from({ length: 600 }, (_unused, i) => ({ type: 'Condition', id: String(i) })),
        'viewed',
      ),
    ).toHaveLength(500);
  });
});

describe('an item taken over', () => {
  const supporting: Readonly<Record<string, FhirObject>> = {
    'Practitioner/dr': { resourceType: 'Practitioner', id: 'dr', meta: { versionId: '1' }, name: [{ family: 'Ensaio' }] },
    'PractitionerRole/role': { resourceType: 'PractitionerRole', id: 'role', practitioner: { reference: 'Practitioner/dr' } },
  };
  const adopt = (elements: FhirObject): FhirObject =>
    adoptedResource({
      item: {
        resourceType: 'Observation',
        id: 'theirs',
        meta: { versionId: '3', security: [{ code: 'R' }] },
        text: { status: 'generated' },
        ...elements,
      },
      id: 'ours',
      foreign: 'Patient/h',
      local: 'Patient/p',
      find: (key) => supporting[key],
    });

  it('is of the local patient, with who acted inside it', () => {
    const adopted = adopt({ subject: { reference: 'Patient/h' }, performer: [{ reference: 'PractitionerRole/role', display: 'Dr' }] });
    expect(adopted).toEqual({
      resourceType: 'Observation',
      id: 'ours',
      meta: { security: [{ code: 'R' }], tag: [{ system: 'urn:portolan:tag', code: 'adopted' }] },
      contained: [
        { resourceType: 'PractitionerRole', id: 'role', practitioner: { reference: '#dr' } },
        { resourceType: 'Practitioner', id: 'dr', name: [{ family: 'Ensaio' }] },
      ],
      subject: { reference: 'Patient/p' },
      performer: [{ reference: '#role', display: 'Dr' }],
    });
  });

  it('names other entries by what they are called abroad', () => {
    const adopted = adopt({ hasMember: [{ reference: 'Observation/x' }], derivedFrom: [{ reference: 'urn:uuid:y' }] });
    expect(adopted['hasMember']).toEqual([{ type: 'Observation', identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:x' } }]);
    expect(adopted['derivedFrom']).toEqual([{ identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:y' } }]);
  });

  it('keeps digits', () => {
    const item = fromFhirJson('{"valueQuantity":{"value":1.50}}');
    expect(toFhirJson(adopt(isFhirObject(item) ? item : {}))).toContain('"value":1.50}');
  });

  it('leads nowhere but to the local patient and into itself', () => {
    const key = fc.constantFrom('a', 'b', 'performer', 'reference');
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.record({
          reference: fc.constantFrom('Patient/h', 'Observation/x', 'Practitioner/dr', 'PractitionerRole/role', 'Device/none', 'urn:uuid:z'),
        }),
        fc.dictionary(key, tie('tree'), { maxKeys: 3 }),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const references = [...toFhirJson(adopt({ extension: value as FhirObject })).matchAll(/"reference":"([^"]*)"/g)].map(
          ([, one]) => one ?? '',
        );
        expect(references.filter((one) => one !== 'Patient/p' && !one.startsWith('#'))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it.each(['Observation', 'Condition', 'MedicationStatement'])('%s can be', (type) => expect(isAdoptable(type)).toBe(true));
  it.each(['Patient', 'Bundle', 'Composition', 'Provenance', 'Practitioner', 'AuditEvent'])('%s cannot be', (type) =>
    expect(isAdoptable(type)).toBe(false),
  );
});

describe('what a correction changes', () => {
  const tree = (text: string): FhirObject => fromFhirJson(text) as FhirObject;

  it('names elements, digit by digit', () => {
    const before = tree('{"id":"1","meta":{"versionId":"1"},"a":1.50,"b":"x","c":[1]}');
    expect(changedElements(before, tree('{"id":"1","a":1.5,"b":"x","d":true}'))).toEqual(['a', 'c', 'd']);
    expect(changedElements(before, before)).toEqual([]);
  });
});
