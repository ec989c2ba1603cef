import { beforeAll, describe, expect, it } from 'vitest';
import { entriesOf, parameterOf } from '../story/fhir-asks.js';
import { eventually } from '../story/wait.js';
import { Asker } from './abroad.js';
import { rows } from './backstage.js';
import { recordAt } from './channel.js';
import { Herself, newcomer, type Newcomer } from './cast.js';
import { RegistryOffice } from './registry-office.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

describe('no release without a live permit', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let herself: Herself;

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
    herself = new Herself(world, person);
  });

  const released = async (since: Date): Promise<number> => {
    const sql = `SELECT count(*)::int AS n FROM exchange.audit_event WHERE type = 'record-released' AND person = (SELECT person FROM edge.person_identifier WHERE value = $1) AND at >= $2`;
    const [row] = await rows<{ n: number }>(world, 'EE', sql, [person.identifier.value, since]);
    return row?.n ?? -1;
  };

  it('denies where the person has said nothing, and where no rule knows the purpose', async () => {
    const asker = new Asker(world, 'PT', 'EE');
    expect(await asker.find(person)).toBeUndefined();
    await herself.permits(['PT'], ['laboratory']);
    const handle = (await asker.find(person)) ?? '';
    expect(handle).not.toBe('');
    // Research and public health: no rule of EE's policy names them, whatever she permitted for treatment.
    for (const purpose of ['HRESCH', 'PUBHLTH', 'HPAYMT'] as const) {
      expect((await asker.record(handle, ['laboratory'], purpose)).text, purpose).toContain('request.none');
    }
    // An emergency that nobody declared is none.
    expect((await asker.record(handle, ['laboratory'], 'ETREAT')).text).toContain('request.none');
  });

  it('releases nothing beside what is permitted: another country, another category', async () => {
    const since = new Date();
    expect(await new Asker(world, 'DE', 'EE').find(person)).toBeUndefined();
    const asker = new Asker(world, 'PT', 'EE');
    const handle = (await asker.find(person)) ?? '';
    expect((await asker.record(handle, ['summary'])).text).toContain('request.none');
    expect(await released(since)).toBe(0);
    const answer = await asker.record(handle, ['laboratory', 'summary', 'medication']);
    expect(answer.status, answer.text).toBe(200);
    expect(parameterOf(answer, 'category')).toBe('laboratory');
    const view = await asker.at(`/fhir/${parameterOf(answer, 'view')}`);
    const types = new Set(entriesOf(view).map(({ resourceType }) => resourceType));
    expect(types).toContain('Observation');
    for (const left of ['Condition', 'AllergyIntolerance', 'MedicationStatement', 'Encounter']) expect(types).not.toContain(left);
    expect(view.text).not.toContain('diabeet');
  });

  it('binds each release to a permit of its own that stood first and was live', async () => {
    const asker = new Asker(world, 'PT', 'EE');
    const [one, two] = [await asker.obtain(person, ['laboratory']), await asker.obtain(person, ['laboratory'])];
    expect(one.permit).not.toBe(two.permit);
    for (const { transfer, permit } of [one, two]) {
      const sql = `SELECT p.block::int AS permitted, s.block::int AS released, p.custodian, p.recipient, p.until, s.at FROM notary.trail_permit p
        JOIN notary.trail_step s ON s.permit_id = p.id WHERE p.id = $1 AND s.transfer_id = $2 AND s.step = 'released'`;
      const [found] = await rows<{ permitted: number; released: number; custodian: string; recipient: string; until: Date; at: Date }>(
        world,
        'DE',
        sql,
        [permit, transfer],
      );
      expect(found).toMatchObject({ custodian: 'EE', recipient: 'PT' });
      expect(found?.permitted).toBeLessThanOrEqual(found?.released ?? -1);
      expect(found?.until.getTime()).toBeGreaterThan(found?.at.getTime() ?? Infinity);
      expect((found?.until.getTime() ?? Infinity) - (found?.at.getTime() ?? 0)).toBeLessThanOrEqual(30 * 86_400_000);
    }
  });

  it('releases nothing to a country that is suspended, and again when it is not', async () => {
    const patient = await newcomer(world, 'PT');
    const asker = new Asker(world, 'BE', 'PT');
    const { handle } = await asker.obtain(patient, ['summary']);
    const office = new RegistryOffice(world, 'PT');
    const id = await office.suspends('BE');
    try {
      expect((await asker.record(handle, ['summary'])).text).toContain('request.none');
      expect(await asker.find(patient)).toBeUndefined();
    } finally {
      await office.lifts('BE', id);
    }
    await eventually('BE is answered again', async () => (await asker.record(handle, ['summary'])).status === 200);
  });

  it('has each country’s policy registered on the channel by its hash', async () => {
    for (const country of ['EE', 'PT', 'BE', 'DE']) {
      expect(await recordAt(world, 'EE', `${country}/policy`), country).toMatch(/[0-9a-f]{64}/);
    }
  });
});
