import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testEdge, type TestEdge } from '../testing/test-edge.js';

const PIN = 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1';
const names = ['pin', 'family', 'test', 'value', 'unit'];
const extract = {
  id: 'lab-row',
  delimiter: ';',
  encoding: 'UTF-8',
  header: true,
  columns: names.map((name) => ({ name })),
  document: ['pin'],
  organisation: 'urn:portolan:demo:ee:csv',
};
const map = {
  map: 'ee/csv',
  format: 'csv',
  resources: [
    {
      id: 'patient',
      resource: 'Patient',
      each: ['lab-row'],
      subject: true,
      key: [['pin']],
      elements: [
        { to: 'identifier[0].value', from: 'pin', as: 'string', required: 'document' },
        { to: 'identifier[0].system', constant: PIN },
        { to: 'name[0].family', from: 'family', as: 'string' },
      ],
    },
    {
      id: 'result',
      resource: 'Observation',
      each: ['lab-row'],
      under: 'patient',
      key: [['test']],
      elements: [
        { to: 'status', constant: 'final' },
        { to: 'code.text', from: 'test', as: 'string', required: 'entry' },
        { to: 'subject', as: 'reference', rule: 'patient', required: 'entry' },
        { to: 'valueQuantity.value', from: 'value', as: 'decimal', strict: 'entry' },
        { to: 'valueQuantity.unit', from: 'unit', as: 'string' },
      ],
    },
  ],
};

let countries: string;
let ee: TestEdge;
beforeAll(async () => {
  countries = mkdtempSync(join(tmpdir(), 'portolan-countries-'));
  cpSync(join(import.meta.dirname, '../../../../countries'), countries, { recursive: true });
  const file = join(countries, 'ee/country.json');
  const country = JSON.parse(readFileSync(file, 'utf8')) as { formats: string[] };
  writeFileSync(file, JSON.stringify({ ...country, formats: [...country.formats, 'csv'], extracts: [extract] }));
  writeFileSync(join(countries, 'ee/maps/csv.json'), JSON.stringify(map));
  ee = await testEdge('EE', { countries, sources: ['ee-csv'] });
});
afterAll(async () => {
  await ee.close();
  rmSync(countries, { recursive: true, force: true });
});

async function send(rows: readonly string[]): Promise<{ status: number; json: Record<string, unknown> }> {
  const body = `${[names.join(';'), ...rows].join('\r\n')}\r\n`;
  const headers = { authorization: `Bearer ${await ee.token('system', 'ee-csv')}`, 'content-type': 'text/csv' };
  const answer = await fetch(`${ee.http}/ingest`, { method: 'POST', body, headers });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}
const known = (pin: string): Promise<number> =>
  ee.uow.run(async (tx) => (await tx.persons.byIdentifier({ system: PIN, value: pin })).length);

describe('a CSV extract that the country declares', () => {
  it('is filed for each person by itself; a bad row harms nobody else', async () => {
    const { status, json } = await send(['47101019901;Näidis;Glükoos;7.80;mmol/l', 'too;few', '47101019902;Proov;Glükoos;5.20;mmol/l']);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      messages: 3,
      refused: 1,
      entries: [
        { place: 'row[2]' },
        {
          place: 'row[3]',
          state: 'rejected',
          messageId: expect.any(String),
          problems: [{ code: 'ingest.malformed' }, { code: 'translate.nothing-mapped' }],
        },
        { place: 'row[4]' },
      ],
    });
    expect(await Promise.all(['47101019901', '47101019902'].map(known))).toEqual([1, 1]);
  });
  it('sent again is known by its bytes', async () => {
    const rows = ['47101019903;Näidis;Glükoos;7.80;mmol/l'];
    const ids = async (): Promise<unknown> => ((await send(rows)).json['entries'] as { messageId: string }[]).map((one) => one.messageId);
    expect(await ids()).toEqual(await ids());
  });
});
