import { beforeAll, describe, expect, it } from 'vitest';
import { entriesOf } from '../story/fhir-asks.js';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained, type Shown } from './abroad.js';
import { rows } from './backstage.js';
import { clinicianOf, Herself, newcomer, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

describe('a foreign record is a view', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let herself: Herself;
  let asker: Asker;
  let consent: string;
  let seen: Obtained;

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
    herself = new Herself(world, person);
    asker = new Asker(world, 'PT', 'EE');
    consent = await herself.permits(['PT'], ['laboratory', 'summary']);
    seen = await asker.obtain(person, ['laboratory', 'summary']);
  });

  const observations = async (): Promise<readonly Shown[]> => {
    const found = await asker.at(`/fhir/Observation?patient=Patient/${seen.handle}&category=laboratory`);
    return entriesOf(found).filter(({ resourceType }) => resourceType === 'Observation');
  };
  const someResult = async (): Promise<Shown> => {
    const found = (await observations()).find((one) => one['valueQuantity'] !== undefined);
    if (found === undefined) throw new Error('no measured result is shown');
    return found;
  };
  const viewAtPt = async () => {
    const sql = `SELECT v.state, k.wrapped IS NULL AS keyless, (SELECT count(*)::int FROM edge.view_resource r WHERE r.view_id = v.id) AS bodies
      FROM edge.view v JOIN edge.data_key k ON k.id = v.key_id WHERE v.transfer_id = $1`;
    return (await rows<{ state: string; keyless: boolean; bodies: number }>(world, 'PT', sql, [seen.transfer]))[0];
  };

  it('lies encrypted in the receiver’s database', async () => {
    expect(await observations()).not.toHaveLength(0);
    const bodies = await rows<{ body: Buffer }>(
      world,
      'PT',
      'SELECT r.body FROM edge.view_resource r JOIN edge.view v ON v.id = r.view_id WHERE v.transfer_id = $1',
      [seen.transfer],
    );
    expect(bodies.length).toBeGreaterThan(3);
    for (const { body } of bodies) expect(body.toString('latin1')).not.toMatch(/resourceType|Glükoos|mmol/);
  });

  it('shows nothing to another professional, for another purpose, or in another case', async () => {
    const { id } = await someResult();
    const colleague = { ...clinicianOf('PT'), name: 'Dr. Outro Ensaio', nationalId: { ...clinicianOf('PT').nationalId, value: 'OM00002' } };
    const other = new Asker(world, 'PT', 'EE', colleague);
    const views = await asker.at(`/fhir/${seen.view}`);
    expect(views.status).toBe(200);
    for (const path of [`/fhir/Observation/${id}`, `/fhir/${seen.view}`, `/fhir/Patient/${seen.handle}/$summary`]) {
      expect((await other.at(path)).status, path).toBe(404);
      expect((await asker.at(path, undefined, 'HRESCH')).status, `${path} for research`).toBe(404);
    }
    expect(
      entriesOf(await other.at(`/fhir/Observation?patient=Patient/${seen.handle}`)).filter(
        ({ resourceType }) => resourceType === 'Observation',
      ),
    ).toEqual([]);
    const token = await world.at('PT').systemToken();
    const acting = await world.at('PT').actingStatement(clinicianOf('PT'), 'TREAT');
    const headers = { 'portolan-case': '11111111-1111-4111-8111-111111111111' };
    expect((await world.at('PT').call(`/fhir/Observation/${id}`, { token, acting, headers })).status).toBe(404);
  });

  it('tells the receiver of a correction by the custodian', async () => {
    const home = new Asker(world, 'EE', 'PT');
    const [original] = await home.resultsAtHome(person);
    if (original === undefined) throw new Error('no result is kept at home');
    const corrected = { ...original, status: 'corrected', valueQuantity: { ...(original['valueQuantity'] as object), value: 8.8 } };
    const token = await world.at('EE').systemToken();
    // The laboratory whose message it was speaks for itself: its system is of the demonstration hospital.
    const acting = await world.at('EE').actingStatement(clinicianOf('EE'), 'TREAT');
    const parameter = [
      { name: 'resource', resource: corrected },
      { name: 'reason', valueString: 'mistyped in the laboratory' },
    ];
    const body = JSON.stringify({ resourceType: 'Parameters', parameter });
    const answer = await world.at('EE').call('/fhir/$correct', { token, acting, body, type: 'application/fhir+json' });
    expect(answer.status, answer.text).toBe(200);
    await eventually('PT’s view says that it was amended', async () => (await viewAtPt())?.state === 'amended');
    const shown = await asker.at(`/fhir/${seen.view}`);
    expect(shown.status).toBe(200);
    expect(shown.text).toContain('amended');
  });

  it('lets a single item be adopted: with reason, event, step, source, and word to the person', async () => {
    const item = await someResult();
    const patient = await localPatient();
    const link = [
      { name: 'foreign', valueReference: { reference: `Patient/${seen.handle}` } },
      { name: 'patient', valueReference: { reference: patient } },
    ];
    const adopt = (reason?: string) => ({
      resourceType: 'Parameters',
      parameter: [
        { name: 'item', valueReference: { reference: `Observation/${item.id}` } },
        { name: 'patient', valueReference: { reference: patient } },
        ...(reason === undefined ? [] : [{ name: 'reason', valueString: reason }]),
      ],
    });
    expect((await asker.at('/fhir/$adopt', adopt('relied on'))).text).toContain('fhir.patient-not-linked');
    expect((await asker.at('/fhir/$link', { resourceType: 'Parameters', parameter: link })).status).toBe(200);
    expect((await asker.at('/fhir/$adopt', adopt())).text).toContain('fhir.parameter-');
    const adopted = await asker.at('/fhir/$adopt', adopt('relied on in the treatment of today'));
    expect(adopted.status, adopted.text).toBe(201);
    const own = adopted.json<Shown>();
    expect(own['valueQuantity']).toEqual(item['valueQuantity']);
    const provenance = await asker.at(`/fhir/Provenance?target=Observation/${own.id}`);
    expect(provenance.text).toContain(seen.transfer);
    expect(provenance.text).toContain('relied on in the treatment of today');
    await herself.hears(
      'an item of hers was adopted',
      ({ act, transferId }) => act === 'item-adopted-abroad' && transferId === seen.transfer,
    );
    await eventually('the adoption stands on the channel', async () => {
      const step = `SELECT 1 FROM notary.trail_step WHERE step = 'adopted' AND transfer_id = $1`;
      return (await rows(world, 'EE', step, [seen.transfer])).length === 1;
    });
    adoptedAs = `/fhir/Observation/${own.id}`;
  });
  let adoptedAs: string;

  async function localPatient(): Promise<string> {
    const here = await newcomer(world, 'PT');
    const found = await asker.at(`/fhir/Patient?identifier=${here.identifier.system}|${here.identifier.value}`);
    const [patient] = entriesOf(found).filter(({ resourceType }) => resourceType === 'Patient');
    return `Patient/${patient?.id ?? ''}`;
  }

  it('is destroyed and attested when the permit ends; what was adopted stays', async () => {
    const { id } = await someResult();
    await herself.withdraws(consent);
    const line = await herself.hears(
      'PT attests the destruction',
      ({ act, transferId }) => act === 'view-destroyed-abroad' && transferId === seen.transfer,
    );
    expect(line.permitId).toBe(seen.permit);
    expect(await viewAtPt()).toEqual({ state: 'destroyed', keyless: true, bodies: 0 });
    for (const path of [`/fhir/Observation/${id}`, `/fhir/${seen.view}`, `/fhir/Patient/${seen.handle}/$summary`]) {
      expect((await asker.at(path)).status, path).toBe(404);
    }
    expect((await asker.at(adoptedAs)).status).toBe(200);
  });

  it('is destroyed when its permit runs out, without anybody saying so', async () => {
    const other = await newcomer(world, 'EE');
    await new Herself(world, other).permits(['PT'], ['laboratory'], 18 / 86_400);
    seen = await asker.obtain(other, ['laboratory']);
    expect(await observations()).not.toHaveLength(0);
    await eventually('the view is gone', async () => (await viewAtPt())?.state === 'destroyed');
    expect(await viewAtPt()).toEqual({ state: 'destroyed', keyless: true, bodies: 0 });
    expect(await observations()).toEqual([]);
  });
});
