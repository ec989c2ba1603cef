import { describe, expect, it } from 'vitest';
import { viewProvenance, viewResources } from './view-content.js';

const record = `{"resourceType":"Bundle","type":"document","entry":[
{"fullUrl":"urn:uuid:11111111-1111-4111-8111-111111111111","resource":{"resourceType":"Patient","id":"11111111-1111-4111-8111-111111111111"}},
{"fullUrl":"urn:uuid:22222222-2222-4222-8222-222222222222","resource":{"resourceType":"Observation","id":"22222222-2222-4222-8222-222222222222","subject":{"reference":"urn:uuid:11111111-1111-4111-8111-111111111111"},"valueQuantity":{"value":1.50,"unit":"mmol/L"}}}]}`;

describe('a view as a client of ours reads it', () => {
  const shown = viewResources(record, 'view-1', 'handle-1');

  it('shows the person under our handle, and references lead to it', () => {
    const observation = shown.find(({ type }) => type === 'Observation');
    expect(shown.map(({ type, id }) => `${type}/${id}`)).toEqual([
      'Patient/handle-1',
      'Observation/22222222-2222-4222-8222-222222222222',
      'Bundle/view-1',
    ]);
    expect(observation?.text).toContain('"reference":"Patient/handle-1"');
  });

  it('keeps the digits of decimals', () => {
    expect(shown.every(({ type, text }) => type === 'Patient' || text.includes('1.50'))).toBe(true);
  });

  it('keeps the document itself as it came, but for its id', () => {
    const bundle = shown.find(({ type }) => type === 'Bundle');
    expect(bundle?.text).toContain('"fullUrl":"urn:uuid:22222222-2222-4222-8222-222222222222"');
    expect(bundle?.text).toContain('"reference":"urn:uuid:11111111-1111-4111-8111-111111111111"');
  });

  it('shows nothing of what is no Bundle', () => {
    expect(viewResources('[]', 'view-1', 'handle-1')).toEqual([]);
  });

  it('says where it came from and on which permit', () => {
    const provenance = viewProvenance({ id: 'view-1', custodian: 'EE', permitId: 'p', transferId: 't' }, shown, '2026-11-21T10:00:00.000Z');
    expect(JSON.parse(provenance.text)).toMatchObject({
      policy: ['urn:uuid:p'],
      target: [{ reference: 'Patient/handle-1' }, { reference: 'Observation/22222222-2222-4222-8222-222222222222' }],
    });
  });
});
