import { describe, expect, it } from 'vitest';
import { historyBundle, matchBundle } from './answer-bundles.js';
import { withTags, withVersion } from './shown-resource.js';

const text = '{"resourceType":"Observation","id":"o","meta":{"security":[{"code":"R"}],"versionId":"9"},"valueQuantity":{"value":1.50}}';

describe('a resource as it is shown', () => {
  it('has version and time of the store, its own labels, and its digits', () => {
    expect(withVersion(text, 2, '2026-11-21T10:00:00.000Z')).toBe(
      '{"resourceType":"Observation","id":"o","meta":{"security":[{"code":"R"}],"versionId":"2","lastUpdated":"2026-11-21T10:00:00.000Z"},"valueQuantity":{"value":1.50}}',
    );
  });

  it('gains tags and keeps those it has', () => {
    const once = withTags(text, ['view']);
    expect(JSON.parse(withTags(once, ['amended'])).meta.tag).toEqual([
      { system: 'urn:portolan:tag', code: 'view' },
      { system: 'urn:portolan:tag', code: 'amended' },
    ]);
    expect(once).toContain('1.50');
  });

  it('stands in its history, a deletion without its text', () => {
    const versions = [
      { versionId: 2, lastUpdated: 't2', text: undefined },
      { versionId: 1, lastUpdated: 't1', text },
    ];
    const bundle = historyBundle('http://x', 'Observation', 'o', versions);
    expect(JSON.parse(bundle).entry).toMatchObject([
      { fullUrl: 'http://x/Observation/o', request: { method: 'DELETE' }, response: { etag: 'W/"2"' } },
      { request: { method: 'POST' }, response: { status: '201' } },
    ]);
    expect(bundle).toContain('1.50');
    expect(JSON.parse(historyBundle('http://x', 'Observation', 'o', []))).toEqual({ resourceType: 'Bundle', type: 'history', total: 0 });
  });

  it('is a certain match, or there is none', () => {
    const head = { id: 'b', time: '2026-11-21T10:00:00.000Z' };
    expect(JSON.parse(matchBundle('http://x', head, undefined))).toEqual({
      resourceType: 'Bundle',
      id: 'b',
      meta: { lastUpdated: head.time },
      type: 'searchset',
      total: 0,
    });
    expect(JSON.parse(matchBundle('http://x', head, { id: 'p', text: '{"resourceType":"Patient"}' })).entry[0]).toMatchObject({
      fullUrl: 'http://x/Patient/p',
      search: { score: 1 },
    });
  });
});
