import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../client/country-client.js';
import { entriesOf } from '../story/fhir-asks.js';
import { Asker, type Shown } from './abroad.js';
import { rows } from './backstage.js';
import { clinicianOf, Herself, newcomer, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

interface Pair {
  readonly id: string;
  readonly known: string;
  readonly come: string;
}

describe('a doctor takes in the summary that her patient brought from abroad', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let herself: Herself;
  let doctor: Asker;
  let abroad: Asker;
  let patient: string;
  let allergy: Shown;
  let result: Shown;
  let pairs: readonly Pair[];

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
    [herself, doctor, abroad] = [new Herself(world, person), new Asker(world, 'EE', 'PT'), new Asker(world, 'PT', 'EE')];
    await herself.permits(['PT'], ['laboratory', 'summary']);
    [patient, allergy, result] = await known();
  });

  /** Her Patient, an allergy and a result as her record has them, by codes. */
  async function known(): Promise<[string, Shown, Shown]> {
    const { system, value } = person.identifier;
    const ids = entriesOf(await doctor.at(`/fhir/Patient?identifier=${system}|${value}`)).map(({ id }) => id);
    const named = ids.map((id) => `Patient/${id}`).join();
    const allergies = entriesOf(await doctor.at(`/fhir/AllergyIntolerance?patient=${named}`)) as readonly Shown[];
    const coded = (one: Shown): boolean => (one['code'] as { coding?: readonly unknown[] } | undefined)?.coding !== undefined;
    const results = await doctor.resultsAtHome(person);
    return [ids[0] as string, allergies.find(coded) as Shown, results.find(coded) as Shown];
  }

  /** The summary on paper of another country: the allergy and the result again, and the same test at the same time with another value. */
  function summary(): string {
    const subject = { reference: 'Patient/p' };
    const { code, effectiveDateTime, valueQuantity } = result as Shown & { valueQuantity: { value: number } };
    const measured = { resourceType: 'Observation', status: 'final', code, subject, effectiveDateTime };
    const active = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }] };
    const resources = [
      {
        resourceType: 'Composition',
        id: 'c',
        status: 'final',
        type: { coding: [{ system: 'http://loinc.org', code: '60591-5' }] },
        subject,
        date: '2026-11-20T09:30:00+00:00',
        author: [{ display: 'Synthetic clinic abroad' }],
        title: 'Patient summary',
      },
      {
        resourceType: 'Patient',
        id: 'p',
        identifier: [person.identifier],
        name: [{ family: person.family, given: [person.given] }],
        birthDate: person.birthDate,
      },
      { resourceType: 'AllergyIntolerance', id: 'a', clinicalStatus: active, code: allergy['code'], patient: subject },
      { ...measured, id: 'o1', valueQuantity },
      { ...measured, id: 'o2', valueQuantity: { ...valueQuantity, value: valueQuantity.value + 1 } },
    ];
    const entry = resources.map((resource) => ({
      fullUrl: `https://clinic-${person.mark}.example/fhir/${resource.resourceType}/${resource.id}`,
      resource,
    }));
    const identifier = { system: 'urn:oid:2.999.7.1', value: `IPS-${person.mark}` };
    return JSON.stringify({ resourceType: 'Bundle', type: 'document', identifier, timestamp: '2026-11-20T09:30:00+00:00', entry });
  }

  const staff = async (path: string, body?: object): Promise<Answer> => {
    const ee = world.at('EE');
    const [token, acting] = [await ee.systemToken(), await ee.actingStatement(clinicianOf('EE'), 'TREAT')];
    return ee.call(`/custodian/reconciliations${path}`, { token, acting, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  };
  const open = async (): Promise<readonly Pair[]> =>
    (await staff(`?patient=${patient}`)).json<{ reconciliations: readonly Pair[] }>().reconciliations;
  const inSummary = async (): Promise<number> => {
    const entries = (await doctor.at(`/fhir/Patient/${patient}/$summary`)).json<{ entry: readonly { resource: Shown }[] }>().entry;
    return entries.filter(({ resource }) => resource.resourceType === 'AllergyIntolerance').length;
  };
  const seenAbroad = async (): Promise<number> => {
    const { handle } = await abroad.obtain(person, ['laboratory', 'summary']);
    const found = entriesOf(await abroad.at(`/fhir/AllergyIntolerance?patient=Patient/${handle}`));
    return found.filter(({ resourceType }) => resourceType === 'AllergyIntolerance').length;
  };

  it('is shown what it repeats, and nothing is merged', async () => {
    const before = await inSummary();
    const token = await world.at('EE').systemToken();
    const answer = await world.at('EE').call('/ingest', { token, body: summary(), type: 'application/fhir+json' });
    expect(answer.status, answer.text).toBe(200);
    pairs = await open();
    expect(pairs.map(({ known: one }) => one).toSorted()).toEqual(
      [`AllergyIntolerance/${allergy.id}`, `Observation/${result.id}`].toSorted(),
    );
    expect(await inSummary()).toBe(before + 1);
    expect(await seenAbroad()).toBe(before + 1);
  });

  it('reads both, says that they are one, and it is shown once, at home and abroad', async () => {
    const before = await inSummary();
    const { id, known: one, come } = pairs.find(({ known: entry }) => entry.startsWith('Allergy')) as Pair;
    for (const entry of [one, come]) expect((await doctor.at(`/fhir/${entry}`)).status).toBe(200);
    const answer = await staff(`/${id}/same`, { reason: 'She told me: the same reaction' });
    expect(answer.status, answer.text).toBe(200);
    expect(await inSummary()).toBe(before - 1);
    expect(await seenAbroad()).toBe(before - 1);
    expect((await doctor.at(`/fhir/${come}`)).status).toBe(200);
    expect((await doctor.at(`/fhir/Linkage/${id}`)).json()).toMatchObject({ active: true });
    await herself.hears('what was decided on her record', ({ act, reason }) => {
      return act === 'entries-reconciled' && reason === 'judged to say the same: She told me: the same reaction';
    });
  });

  it('says of a result that it is another, and is not asked again', async () => {
    const { id } = pairs.find(({ known: entry }) => entry.startsWith('Observation')) as Pair;
    expect((await staff(`/${id}/different`, { reason: 'Measured twice' })).status).toBe(200);
    const token = await world.at('EE').systemToken();
    const again = summary().replace('IPS-', 'IPS-again-');
    expect((await world.at('EE').call('/ingest', { token, body: again, type: 'application/fhir+json' })).status).toBe(200);
    expect(await open()).toEqual([]);
  });

  it('takes it back where it was a mistake', async () => {
    const before = await inSummary();
    const { id } = pairs.find(({ known: entry }) => entry.startsWith('Allergy')) as Pair;
    expect((await staff(`/${id}/open`, { reason: 'Another substance after all' })).json()).toMatchObject({ state: 'open' });
    expect(await inSummary()).toBe(before + 1);
    expect(await seenAbroad()).toBe(before + 1);
  });

  it('leaves nothing of it where she is erased', async () => {
    const left = async (): Promise<number> =>
      (await rows(world, 'EE', 'SELECT 1 FROM edge.reconciliation WHERE id = ANY ($1)', [pairs.map(({ id }) => id)])).length;
    expect(await left()).toBe(2);
    const body = JSON.stringify({ identifier: person.identifier, reason: 'she asked for it' });
    expect((await world.at('EE').call('/operator/persons/erase', { token: await world.at('EE').login('operator'), body })).status).toBe(
      200,
    );
    expect(await left()).toBe(0);
  });
});
