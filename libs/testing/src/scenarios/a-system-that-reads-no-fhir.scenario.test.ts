import { bundleOf, fromFhirJson, resourcesIn, toFhirJson, translate, type FhirObject, type FhirResource } from '@portolan/formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { cdaReasons } from '../back/cda-reasons.js';
import { differences } from '../back/sameness.js';
import { messagesIn, uniqueResources } from '../back/messages.js';
import { country, sha256 } from '../back/summary.fixture.js';
import type { Answer } from '../client/country-client.js';
import { keepBundle } from '../hl7-validator/kept-bundles.js';
import { Asker, type Obtained } from './abroad.js';
import { auditBodies } from './backstage.js';
import { Herself, newcomer, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

/** What the hospital's message and the reader's language bring besides the reasons of every summary. */
const here: Readonly<Record<string, RegExp>> = {
  'a word in the reader’s language stands beside the record’s own, and is made anew': /\._display\.extension\./,
  'a status is a code, and its name is known': /\.clinicalStatus\.coding\.display gone$/,
  'a hospital’s own code of a category or criticality is an extension of FHIR': /^AllergyIntolerance\._(category|criticality)\.extension\./,
  'a diagnosis whose stay did not cross stands among the problems': /^Condition\.category\.coding\.(code other|display gone)$/,
};
const hereToo = (difference: string): boolean => Object.values(here).some((pattern) => pattern.test(difference));

describe('a doctor whose systems read no FHIR opens a record from abroad', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let herself: Herself;
  let doctor: Asker;
  let obtained: Obtained;
  let sent: readonly FhirResource[];

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
    [herself, doctor] = [new Herself(world, person), new Asker(world, 'PT', 'EE')];
    await herself.permits(['PT'], ['laboratory', 'summary']);
    obtained = await doctor.obtain(person, ['laboratory', 'summary']);
    sent = resourcesIn(fromFhirJson((await doctor.at(`/fhir/${obtained.view}`)).text) as FhirObject) ?? [];
  });

  /** What her system makes of the answer in its own form, kept for HL7's validator as any Bundle of the run. */
  async function read(answer: Answer, format: 'cda' | 'hl7v2'): Promise<readonly FhirResource[]> {
    const whole = Buffer.from(answer.text);
    const resources = uniqueResources(
      (format === 'cda' ? [whole] : messagesIn(whole)).map((bytes) => {
        const read = translate({ bytes, format, country: country('pt').pack, sha256, received: new Date().toISOString() });
        expect(read.account.rejects).toEqual([]);
        return read;
      }),
    );
    const text = toFhirJson(bundleOf(resources, 'https://hospital.example/fhir'));
    const headers = new Headers({ 'content-type': 'application/fhir+json' });
    await keepBundle(world.provisioned.folder, { ...answer, headers, text });
    return resources;
  }
  const asked = async (type: string): Promise<Answer> => {
    const answer = await doctor.at(`/fhir/${obtained.view}?_format=${encodeURIComponent(type)}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`]);
    return answer;
  };
  const identified = (all: readonly FhirResource[]): string =>
    all
      .filter(({ resourceType }) => resourceType === 'Patient')
      .map(({ identifier }) => toFhirJson(identifier as FhirObject))
      .join();
  /** Codes of LOINC with their numbers, as they are written. */
  const results = (all: readonly FhirResource[]): readonly string[] =>
    all
      .filter(({ resourceType, valueQuantity }) => resourceType === 'Observation' && valueQuantity !== undefined)
      .map(({ code, valueQuantity }) =>
        [/"code":"(\d+-\d)"/, /"value":([\d.]+)/]
          .map((part, i) => part.exec(toFhirJson(i === 0 ? (code as FhirObject) : (valueQuantity as FhirObject)))?.[1])
          .join(' '),
      )
      .toSorted();

  it('in CDA, and translated back it says the same', async () => {
    const resources = await read(await asked('application/cda+xml'), 'cda');
    expect(identified(resources)).toContain(person.identifier.value);
    expect(results(resources).length).toBeGreaterThan(2);
    expect(results(resources)).toEqual(results(sent));
    const found = differences(sent, resources);
    expect(cdaReasons.unexplained(found).filter((one) => !hereToo(one))).toEqual([]);
    for (const [reason, pattern] of Object.entries(here))
      expect(
        found.some((one) => pattern.test(one)),
        reason,
      ).toBe(true);
  });

  it('in HL7 v2: who she is, every measured result, and what she must not be given', async () => {
    const resources = await read(await asked('application/hl7-v2'), 'hl7v2');
    expect(identified(resources)).toContain(person.identifier.value);
    expect(results(resources)).toEqual(results(sent));
    const allergies = (all: readonly FhirResource[]): number =>
      all.filter(({ resourceType }) => resourceType === 'AllergyIntolerance').length;
    expect(allergies(resources)).toBe(allergies(sent));
    expect(allergies(sent)).toBeGreaterThan(0);
  });

  it('and each reading is on record, with its form, and the person hears of it', async () => {
    const events = await auditBodies(world, 'PT', 'edge', 'view-read', obtained.transfer);
    const forms = events.map((event) => /"valueString":"(cda|hl7v2)"/.exec(JSON.stringify(event))?.[1]);
    expect(forms.filter((form) => form !== undefined).toSorted()).toEqual(['cda', 'hl7v2']);
    await herself.hears('read abroad', ({ act, permitId }) => act === 'view-read-abroad' && permitId === obtained.permit);
  });
});
