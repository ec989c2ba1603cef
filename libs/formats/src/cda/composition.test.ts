import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countryPack } from '../country-pack.js';
import { toFhirJson } from '../engine/index.js';
import { openReferences } from '../testing/oracles.js';
import { translate, type Translation } from '../translate.js';

/** JSON of any shape, as a test looks at it. */
type Loose = ReturnType<typeof JSON.parse>;
const home = join(import.meta.dirname, '../../../countries/pt');
const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
const country = countryPack(Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(join(home, file), 'utf8'))])));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function translated(file: string, change: (text: string) => string): Translation {
  const text = readFileSync(join(import.meta.dirname, '../../fixtures/cda', file), 'utf8');
  const changed = change(text);
  return translate({ bytes: Buffer.from(changed), format: 'cda', country, sha256, received: '2026-11-21T10:00:00.000Z' });
}
const discharge = (change = (text: string): string => text): Translation => translated('pt-rui-ficticio-discharge.xml', change);
const ofType = ({ resources }: Translation, type: string): Loose[] =>
  resources.filter(({ resourceType }) => resourceType === type).map((one): Loose => JSON.parse(toFhirJson(one)));
const tableOf = (answer: Translation): Loose => {
  const [found, ...more] = ofType(answer, 'Composition');
  expect(more).toEqual([]);
  return found;
};
const named = ({ resourceType, id }: Loose): string => `${resourceType}/${id}`;
const div = (...lines: readonly string[]): string =>
  `<div xmlns="http://www.w3.org/1999/xhtml">${lines.map((line) => `<p>${line}</p>`).join('')}</div>`;

/** One more section, as the last. */
const withSection =
  (section: string) =>
  (text: string): string =>
    text.replace('</structuredBody>', `<component>${section}</component></structuredBody>`);
const lastSection = (section: string): Loose => {
  const answer = discharge(withSection(section));
  expect(answer.account.rejects).toEqual([]);
  return tableOf(answer).section[5];
};

describe('a document’s table of contents', () => {
  const answer = discharge();
  const table = tableOf(answer);

  it('says what the document is, of whom, when, by whom, and who signed it', () => {
    const [encounter] = ofType(answer, 'Encounter');
    expect(table).toMatchObject({
      status: 'final',
      type: { coding: [{ system: 'http://loinc.org', code: '18842-5', display: 'Discharge summary' }] },
      title: 'Discharge summary',
      confidentiality: 'N',
      subject: { reference: named(ofType(answer, 'Patient')[0]) },
      encounter: { reference: named(encounter) },
      attester: [
        { mode: 'legal', time: '2026-11-02T12:00:00+00:00', party: { reference: expect.stringMatching(/^Practitioner\//) as string } },
      ],
      custodian: { reference: expect.stringMatching(/^Organization\//) as string },
      author: [{ reference: expect.stringMatching(/^Practitioner\//) as string }],
    });
  });

  it('has each section under its code and title, with what its entries gave', () => {
    expect(table.section.map((one: Loose) => [one.code.coding[0].code, one.title])).toEqual([
      ['11535-2', 'Discharge diagnosis'],
      ['10183-2', 'Discharge medicines'],
      ['10157-6', 'Family history'],
      ['47420-5', 'Functional status'],
      ['18776-5', 'Plan of treatment'],
    ]);
    const types = ['Condition', 'MedicationStatement', 'FamilyMemberHistory', 'Observation'];
    const entries = table.section.map((one: Loose) => one.entry.map(({ reference }: Loose) => reference));
    expect(entries.slice(0, 4)).toEqual(types.map((type) => ofType(answer, type).map(named)));
    expect([...entries[4]].sort()).toEqual([...ofType(answer, 'Goal'), ...ofType(answer, 'ServiceRequest')].map(named).sort());
    expect(table.section.filter((one: Loose) => one.text !== undefined)).toEqual([]);
  });

  it('is the same the second time, and stands under the id of its set in the next version', () => {
    expect(tableOf(discharge())).toEqual(table);
    const set = '<setId root="2.999.9.1" extension="SET"/>';
    const version = (id: string): Loose =>
      tableOf(
        discharge((text) => text.replace(/<id root="[^"]*" extension="PT-DS-0007"\/>/, `<id root="2.999.9" extension="${id}"/>${set}`)),
      );
    expect(version('2').id).toBe(version('1').id);
    expect(version('1')).toMatchObject({ identifier: { system: 'urn:oid:2.999.9.1', value: 'SET' } });
  });

  it('is of the prescription, too', () => {
    const table = tableOf(translated('pt-ana-exemplo-prescription.xml', (text) => text));
    expect(table.section.map((one: Loose) => one.code.coding[0].code)).toContain('57828-6');
  });

  it('says that nobody knows who wrote the document, where it says so', () => {
    const nobody = discharge((text) =>
      text
        .replaceAll(/<assignedPerson>[\s\S]*?<\/assignedPerson>/g, '')
        .replaceAll(/<representedOrganization>[\s\S]*?<\/representedOrganization>/g, ''),
    );
    expect(tableOf(nobody).author).toEqual([{ display: 'unknown' }]);
    expect(nobody.account.constants).toContainEqual(expect.objectContaining({ rule: 'composition.author-device', value: 'unknown' }));
  });
});

describe('a section', () => {
  it('without entries has its words, line by line, and what is a sign of markup in them is none', () => {
    const text =
      '<text><paragraph>Came &lt;b&gt; on foot</paragraph><list><item>a &amp; b</item></list><table><tr><td>1</td><td>2</td></tr></table></text>';
    const section = `<section><code code="46239-0" codeSystem="2.16.840.1.113883.6.1"/><title>Reason</title>${text}</section>`;
    expect(lastSection(section)).toMatchObject({
      title: 'Reason',
      text: { status: 'additional', div: div('Came &lt;b&gt; on foot', 'a &amp; b', '1 2') },
    });
    const { account } = discharge(withSection(section));
    expect(account.carried.map(({ value }) => value)).toEqual(expect.arrayContaining(['Came <b> on foot', 'a & b', '1', '2']));
  });

  it('of whose entries nothing was made has its words, too', () => {
    const entry = '<entry><regionOfInterest><code code="X"/></regionOfInterest></entry>';
    const section = lastSection(`<section><code code="48768-6" codeSystem="2.16.840.1.113883.6.1"/><text>Payer</text>${entry}</section>`);
    expect(section).toMatchObject({ text: { div: div('Payer') } });
    expect(section).not.toHaveProperty('entry');
  });

  it.each([
    ['NI', 'unavailable'],
    ['NASK', 'notasked'],
  ])('that says %s is empty for that reason, and the flavour is carried', (flavour, reason) => {
    const text = `<section nullFlavor="${flavour}"><code code="46240-8" codeSystem="2.16.840.1.113883.6.1"/><title>Stays</title></section>`;
    expect(lastSection(text)).toMatchObject({ emptyReason: { coding: [{ code: reason }] }, text: { div: div('Stays') } });
    expect(discharge(withSection(text)).account.carried.map(({ value }) => value)).toContain(flavour);
  });

  it('that is masked or does not apply is not said to be empty', () => {
    for (const flavour of ['MSK', 'NA'])
      expect(lastSection(`<section nullFlavor="${flavour}"><title>Stays</title></section>`)).not.toHaveProperty('emptyReason');
  });

  it('stands in the one that it is a part of', () => {
    const inner =
      '<component><section><code code="29545-1" codeSystem="2.16.840.1.113883.6.1"/><title>Heart</title><text>Quiet</text></section></component>';
    const outer = lastSection(
      `<section><code code="29762-2" codeSystem="2.16.840.1.113883.6.1"/><title>Examination</title>${inner}</section>`,
    );
    expect(outer).toMatchObject({ title: 'Examination', section: [{ title: 'Heart', text: { div: div('Quiet') } }] });
    expect(outer).not.toHaveProperty('text');
  });

  it('that says nothing at all is left out and told, and takes nothing with it', () => {
    const answer = discharge(withSection('<section nullFlavor="NI"><code nullFlavor="UNK"/></section>'));
    expect(answer.account.rejects).toEqual([]);
    expect(answer.account.warnings).toContainEqual(expect.objectContaining({ code: 'translate.value-missing', rule: 'Section.text' }));
    expect(tableOf(answer).section).toHaveLength(5);
  });

  it('has no entry that was refused, and the table of contents is there nevertheless', () => {
    const broken = discharge((text) => text.replace(/<value xsi:type="CD" code="233604007"[^>]*\/>/, ''));
    expect(ofType(broken, 'Condition')).toHaveLength(ofType(discharge(), 'Condition').length - 1);
    expect(openReferences(broken.resources)).toEqual([]);
    expect(tableOf(broken).section).toHaveLength(5);
  });
});

it('a document without a date has no table of contents, and is taken', () => {
  const answer = discharge((text) => text.replace(/<effectiveTime value="2026110[^"]*"\/>(?=\s*<confidentialityCode)/, ''));
  expect(answer.account.rejects).toEqual([]);
  expect(ofType(answer, 'Composition')).toEqual([]);
  expect(ofType(answer, 'DocumentReference')).toHaveLength(1);
});
