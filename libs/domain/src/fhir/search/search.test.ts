import { PortolanError } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { parseFhirJson } from '../fhir-json.js';
import { searchInMemory, type Searchable } from './page.js';
import { parseSearch, type SearchOptions } from './parse-search.js';
import { searchValues } from './search-values.js';
import { ianaZone } from './time-range.js';

const base = 'https://node.example/fhir';
const query = (search: string, options: SearchOptions = {}): ReturnType<typeof parseSearch> => {
  const [type = '', parameters = ''] = search.split('?');
  return parseSearch(type, new URLSearchParams(parameters), { base, ...options });
};
const refusal = (search: string, options?: SearchOptions): string => {
  try {
    query(search, options);
  } catch (error) {
    if (error instanceof PortolanError) return `${error.code} at ${error.where}`;
    throw error;
  }
  return 'accepted';
};

const records = `
  {"resourceType":"Patient","id":"mari","meta":{"lastUpdated":"2026-11-01T10:00:00.000Z"},"gender":"female","birthDate":"1990-01-01",
   "identifier":[{"system":"urn:ee","value":"4900"}],"name":[{"family":"Näidis","given":["Mari"]}]}
  {"resourceType":"Patient","id":"ana","meta":{"lastUpdated":"2026-11-02T10:00:00.000Z"},"gender":"female","birthDate":"1985-06",
   "identifier":[{"system":"urn:pt","value":"a|b,c"}],"name":[{"family":"Exemplo da Silva","given":["Ana"]}]}
  {"resourceType":"Patient","id":"jan","meta":{"lastUpdated":"2026-11-03T10:00:00.000Z"},"identifier":[{"value":"nosystem"}]}
  {"resourceType":"Observation","id":"hb","status":"final","subject":{"reference":"Patient/mari"},"effectiveDateTime":"2024-05-10T08:30:00+03:00",
   "code":{"coding":[{"system":"http://loinc.org","code":"718-7"}]},
   "valueQuantity":{"value":5.40,"unit":"mmol/l","system":"http://unitsofmeasure.org","code":"mmol/L"}}
  {"resourceType":"Observation","id":"crp","status":"preliminary","subject":{"reference":"${base}/Patient/ana"},"effectivePeriod":{"start":"2024-05","end":"2024-06"},
   "code":{"coding":[{"system":"http://loinc.org","code":"1988-5"}]},"valueQuantity":{"value":5,"comparator":"<","unit":"mg/L"}}
  {"resourceType":"Observation","id":"note","status":"final","subject":{"identifier":{"system":"urn:ee","value":"4900"}},"code":{"text":"note"},"valueString":"Slightly elevated"}
`
  .trim()
  .split(/\n(?=\s+\{"resourceType")/)
  .map((text) => parseFhirJson(text, 'test'));

const ofType = (type: string, options: SearchOptions): Searchable[] =>
  records.filter((r) => r.resourceType === type).map((r) => ({ id: r['id'] as string, values: searchValues(r, { base, ...options }) }));
const ids = (search: string, options: SearchOptions = {}): string =>
  searchInMemory(query(search, options), ofType(search.split('?')[0] ?? '', options))
    .matches.map((m) => m.id)
    .sort()
    .join(' ');

describe('a search finds what the standard says', () => {
  it.each([
    ['Patient', 'ana jan mari'],
    ['Patient?_id=mari', 'mari'],
    ['Patient?identifier=urn:ee|4900', 'mari'],
    ['Patient?identifier=4900', 'mari'],
    ['Patient?identifier=urn:pt|', 'ana'],
    ['Patient?identifier=|nosystem', 'jan'],
    ['Patient?identifier=|4900', ''],
    ['Patient?identifier=urn:pt|a\\|b\\,c', 'ana'],
    ['Patient?identifier=urn:ee|4900,nosystem', 'jan mari'],
    ['Patient?identifier=urn:ee|4900&birthdate=1990-01-01', 'mari'],
    ['Patient?identifier=urn:ee|4900&birthdate=1990-01-02', ''],
    ['Patient?gender:not=male', 'ana jan mari'],
    ['Patient?gender:not=female', 'jan'],
    ['Patient?gender:missing=true', 'jan'],
    ['Patient?gender:missing=false', 'ana mari'],
    ['Patient?family=naid', 'mari'],
    ['Patient?family=NÄIDIS', 'mari'],
    ['Patient?family=silva', ''],
    ['Patient?family:contains=silva', 'ana'],
    ['Patient?family:exact=Näidis', 'mari'],
    ['Patient?family:exact=näidis', ''],
    ['Patient?birthdate=1985', 'ana'],
    ['Patient?birthdate=ne1985', 'mari'],
    ['Patient?birthdate=ge1985-06&birthdate=lt1990', 'ana'],
    ['Patient?birthdate=gt1990', ''],
    ['Patient?birthdate=1985-06-15', ''],
    ['Patient?_lastUpdated=ge2026-11-02', 'ana jan'],
    ['Observation?subject=Patient/mari', 'hb'],
    ['Observation?patient=mari', 'hb'],
    ['Observation?patient=Patient/ana', 'crp'],
    [`Observation?subject=${base}/Patient/ana`, 'crp'],
    ['Observation?subject:Patient=mari', 'hb'],
    ['Observation?subject:Group=mari', ''],
    ['Observation?subject:identifier=urn:ee|4900', 'note'],
    ['Observation?date=2024-05-10', 'hb'],
    ['Observation?date=2024-05-10T05:30Z', 'hb'],
    ['Observation?date=ge2024-05-15', 'crp'],
    ['Observation?date=sa2024-05-05', 'hb'],
    ['Observation?date=eb2024-05-11', 'hb'],
    ['Observation?date=le2024-05-02', 'crp'],
    // A period that begins on the day and goes on is not wholly in it, and nothing of it lies before (R4 §3.1.1.4.5).
    ['Observation?date=le2024-05-01', ''],
    ['Observation?value-quantity=5.4', 'hb'],
    ['Observation?value-quantity=5.40||mmol/l', 'hb'],
    ['Observation?value-quantity=5.4|http://unitsofmeasure.org|mmol/L', 'hb'],
    ['Observation?value-quantity=5.4|http://unitsofmeasure.org|mg/L', ''],
    ['Observation?value-quantity=lt5', 'crp'],
    ['Observation?value-quantity=gt5', 'hb'],
    ['Observation?value-quantity=ge5.4', 'hb'],
    ['Observation?value-quantity=5.401', ''],
    ['Observation?value-string=slightly', 'note'],
    ['Observation?code=http://loinc.org|718-7,http://loinc.org|1988-5&status=final', 'hb'],
  ])('%s: %s', (search, expected) => {
    expect(ids(search.replaceAll('+', '%2B'))).toBe(expected);
  });

  it('a day of the node’s zone is not a day of UTC', () => {
    const zone = ianaZone('Pacific/Auckland');
    expect(ids('Observation?date=2024-05-10', { zone })).toBe('hb');
    expect(ids('Observation?date=2024-05-10', { zone: ianaZone('America/Los_Angeles') })).toBe('');
    expect(ids('Observation?date=2024-05-09', { zone: ianaZone('America/Los_Angeles') })).toBe('hb');
  });
});

describe('a search that cannot be answered rightly is refused', () => {
  it.each([
    ['Basic?_id=1', 'fhir.type-unsupported at the type in the address'],
    ['Patient?shoe=1', 'fhir.search-parameter-unknown at parameter 1 of the search for Patient'],
    ['Patient?constructor=1', 'fhir.search-parameter-unknown at parameter 1 of the search for Patient'],
    ['Patient?birthdate=yesterday', 'fhir.search-value-invalid at Patient?birthdate'],
    ['Patient?birthdate=ap1990', 'fhir.search-value-invalid at Patient?birthdate'],
    ['Patient?birthdate=1990-02-30', 'fhir.search-value-invalid at Patient?birthdate'],
    ['Patient?birthdate=', 'fhir.search-value-invalid at Patient?birthdate'],
    ['Patient?identifier=a|b|c', 'fhir.search-value-invalid at Patient?identifier'],
    ['Patient?identifier=', 'fhir.search-value-invalid at Patient?identifier'],
    ['Patient?identifier=x,', 'fhir.search-value-invalid at Patient?identifier'],
    ['Patient?name:foo=x', 'fhir.search-modifier-unsupported at Patient?name'],
    ['Patient?identifier:of-type=x', 'fhir.search-modifier-unsupported at Patient?identifier'],
    ['Patient?organization.name=x', 'fhir.search-modifier-unsupported at parameter 1 of the search for Patient'],
    ['Patient?organization:Organization.name=x', 'fhir.search-modifier-unsupported at Patient?organization'],
    ['Patient?_has:Observation:patient:code=1', 'fhir.search-modifier-unsupported at parameter 1 of the search for Patient'],
    ['Patient?_revinclude=Provenance:target', 'fhir.search-modifier-unsupported at parameter 1 of the search for Patient'],
    ['Observation?value-quantity=many', 'fhir.search-value-invalid at Observation?value-quantity'],
    ['Observation?value-quantity=5|http://unitsofmeasure.org', 'fhir.search-value-invalid at Observation?value-quantity'],
    ['Observation?subject:Patient=Group/1', 'fhir.search-value-invalid at Observation?subject'],
    ['Observation?subject=a b', 'fhir.search-value-invalid at Observation?subject'],
    ['Patient?_count=-1', 'fhir.search-value-invalid at Patient?_count'],
    ['Patient?_count=many', 'fhir.search-value-invalid at Patient?_count'],
    ['Patient?_sort=shoe', 'fhir.search-value-invalid at Patient?_sort'],
    ['Patient?_include=*', 'fhir.search-value-invalid at Patient?_include'],
    ['Patient?_include=Patient:name', 'fhir.search-value-invalid at Patient?_include'],
    ['Patient?_include:iterate=Patient:organization', 'fhir.search-modifier-unsupported at Patient?_include'],
    ['Patient?_summary=some', 'fhir.search-value-invalid at Patient?_summary'],
    ['Patient?_cursor=AAAA', 'fhir.page-unknown at Patient?_cursor'],
    ['Patient?_cursor=%00', 'fhir.page-unknown at Patient?_cursor'],
    [`Patient?identifier=${Array(51).fill('x').join(',')}`, 'fhir.search-too-large at Patient?identifier'],
    [`Patient?name=${'x'.repeat(1001)}`, 'fhir.search-too-large at parameter 1'],
    [`Patient?${Array(41).fill('name=x').join('&')}`, 'fhir.search-too-large at the parameters'],
  ])('%s', (search, expected) => {
    expect(refusal(search)).toBe(expected);
  });

  it('handling=lenient ignores an unknown parameter and says so, and never a modifier', () => {
    const lenient = query('Patient?shoe=1&family=x', { handling: 'lenient' });
    expect(lenient).toMatchObject({ ignored: 1, self: [['family', 'x']] });
    expect(refusal('Patient?name:foo=x', { handling: 'lenient' })).toContain('fhir.search-modifier-unsupported');
    expect(refusal('Patient?_has:Observation:patient:code=1', { handling: 'lenient' })).toContain('fhir.search-modifier-unsupported');
  });

  it('the count is bounded, and 0 or summary=count asks for the total alone', () => {
    expect(query('Patient').count).toBe(20);
    expect(query('Patient?_count=999999').count).toBe(200);
    expect(query('Patient?_count=0')).toMatchObject({ count: 0, total: 'accurate' });
    expect(query('Patient?_summary=count')).toMatchObject({ count: 0, total: 'accurate' });
  });
});
