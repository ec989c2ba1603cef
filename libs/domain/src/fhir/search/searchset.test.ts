import { describe, expect, it } from 'vitest';
import { parseSearch } from './parse-search.js';
import { includedBy, searchset, searchSubset } from './searchset.js';
import { searchValues } from './search-values.js';

const base = 'https://node.example/fhir';
const text =
  '{"resourceType":"Observation", "id":"hb","meta":{"versionId":"1"},"text":{"status":"generated","div":"<div/>"},"status":"final","code":{"text":"Hb"},"valueQuantity":{"value":5.40},"_valueQuantity":{"id":"x"},"note":[{"text":"n"}]}';
const hb = { type: 'Observation', id: 'hb', text };

describe('a searchset', () => {
  it('holds the stored text byte by byte, with self and next link', () => {
    const query = parseSearch('Observation', [['code', 'http://loinc.org|718-7'], ['_count', '1']]); // prettier-ignore
    const bundle = searchset({ base, query, matches: [hb], next: 'abc', total: 2 });
    expect(bundle).toContain(`"resource":${text},"search":{"mode":"match"}`);
    expect(JSON.parse(bundle)).toMatchObject({
      resourceType: 'Bundle',
      type: 'searchset',
      total: 2,
      link: [
        { relation: 'self', url: `${base}/Observation?code=http%3A%2F%2Floinc.org%7C718-7&_count=1` },
        { relation: 'next', url: `${base}/Observation?code=http%3A%2F%2Floinc.org%7C718-7&_count=1&_cursor=abc` },
      ],
      entry: [{ fullUrl: `${base}/Observation/hb` }],
    });
  });

  it('an empty one has no entry; an outcome and included resources are marked', () => {
    expect(JSON.parse(searchset({ base, matches: [] }))).toEqual({ resourceType: 'Bundle', type: 'searchset' });
    const included = [{ type: 'Patient', id: 'p', text: '{"resourceType":"Patient","id":"p"}' }];
    const bundle = JSON.parse(
      searchset({ base, matches: [], included, outcome: { resourceType: 'OperationOutcome', issue: [] } }),
    ) as fhir4.Bundle;
    expect(bundle.entry?.map((e) => e.search?.mode)).toEqual(['include', 'outcome']);
  });

  it('_include names the resources to fetch, each once, of the type asked for', () => {
    const query = (include: string): ReturnType<typeof parseSearch> => parseSearch('Observation', [['_include', include]]);
    const values = searchValues({
      resourceType: 'Observation',
      subject: { reference: 'Patient/p' },
      specimen: { reference: 'Specimen/s' },
    });
    const matches = [{ values }, { values }];
    expect(includedBy(query('Observation:subject'), matches)).toEqual([{ type: 'Patient', id: 'p' }]);
    expect(includedBy(query('Observation:subject:Group'), matches)).toEqual([]);
  });
});

describe('subsets', () => {
  const names = (parameter: string, value: string): string[] =>
    Object.keys(JSON.parse(searchSubset(text, parseSearch('Observation', [[parameter, value]]))) as object);

  it('_summary and _elements keep what R4 says, marked SUBSETTED, digits kept', () => {
    expect(names('_summary', 'true')).toEqual(['resourceType', 'id', 'meta', 'status', 'code', 'valueQuantity', '_valueQuantity']);
    expect(names('_summary', 'text')).toEqual(['resourceType', 'id', 'meta', 'text', 'status', 'code']);
    expect(names('_summary', 'data')).not.toContain('text');
    expect(names('_elements', 'value')).toEqual(['resourceType', 'id', 'meta', 'status', 'code', 'valueQuantity', '_valueQuantity']);
    const short = searchSubset(text, parseSearch('Observation', [['_summary', 'true']]));
    expect(short).toContain('5.40');
    expect(short).toContain('"versionId":"1"');
    expect(short).toContain('SUBSETTED');
  });

  it('all of it is the stored text itself', () => {
    expect(searchSubset(text, parseSearch('Observation', [['_summary', 'false']]))).toBe(text);
  });
});
