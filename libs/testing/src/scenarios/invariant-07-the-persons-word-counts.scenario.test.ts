import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../client/country-client.js';
import { entriesOf } from '../story/fhir-asks.js';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained, type Shown } from './abroad.js';
import { rows } from './backstage.js';
import { clinicianOf, Herself, newcomer, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

describe('the person’s word counts, and each entry has one custodian', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let herself: Herself;
  let doctor: Asker;
  let asker: Asker;
  let entry: Shown;
  let obtained: Obtained;

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
    herself = new Herself(world, person);
    doctor = new Asker(world, 'EE', 'PT');
    asker = new Asker(world, 'PT', 'EE');
    entry = await result();
    await herself.permits(['PT'], ['laboratory', 'summary']);
    obtained = await asker.obtain(person, ['laboratory']);
  });

  async function result(): Promise<Shown> {
    const found = await doctor.resultsAtHome(person);
    return found.find((one) => (one['valueQuantity'] as { value?: number }).value === 7.8) as Shown;
  }
  const versions = async (): Promise<number> =>
    (await rows(world, 'EE', `SELECT 1 FROM edge.resource_version WHERE type = 'Observation' AND id = $1`, [entry.id])).length;
  const parameters = (...parameter: object[]): object => ({ resourceType: 'Parameters', parameter });
  const changed = (value: number, of: Shown = entry): Shown => ({ ...of, valueQuantity: { ...(of['valueQuantity'] as object), value } });
  /** Without displays: a view shows them in the reader's words, too. */
  const codesOf = (of: Shown): string =>
    (of['code'] as { coding: readonly { system: string; code: string }[] }).coding.map(({ system, code }) => `${system}|${code}`).join(' ');
  /** PT's clinician proposes another value for the entry as its view shows it. */
  const propose = async (value: number, reason: string): Promise<Answer> => {
    const views = entriesOf(await asker.at(`/fhir/Observation?patient=Patient/${obtained.handle}&category=laboratory`)) as readonly Shown[];
    const shown = views.find((one) => codesOf(one) === codesOf(entry));
    if (shown === undefined) throw new Error('the view does not show the entry');
    const change = parameters(
      { name: 'item', valueReference: { reference: `Observation/${shown.id}` } },
      { name: 'resource', resource: changed(value, shown) },
      { name: 'reason', valueString: reason },
    );
    return asker.at('/fhir/$propose', change);
  };
  const proposals = async (): Promise<readonly { id: string; state: string; reason?: string }[]> =>
    (await herself.call('/person/proposals')).json<{ proposals: readonly { id: string; state: string; reason?: string }[] }>().proposals;
  const arrived = async (reason: string): Promise<string> => {
    let id: string | undefined;
    await eventually(
      'she is shown the proposal',
      async () => (id = (await proposals()).find((one) => one.reason === reason)?.id) !== undefined,
    );
    return id as string;
  };
  /** The custodian's own professional, through the custodian's own system. */
  const custodian = async (path: string, body?: object): Promise<Answer> => {
    const ee = world.at('EE');
    const [token, acting] = [await ee.systemToken(), await ee.actingStatement(clinicianOf('EE'), 'TREAT')];
    return ee.call(`/custodian/proposals${path === '' ? '' : `/${path}`}`, {
      token,
      acting,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };

  it('refuses a correction by whoever is not the custodian: another country’s system, another version, another person’s entry', async () => {
    const before = await versions();
    const mine = parameters({ name: 'resource', resource: changed(9.9) }, { name: 'reason', valueString: 'because' });
    expect((await asker.at('/fhir/$correct', mine)).status).toBe(404);
    const foreign = await world.at('PT').systemToken();
    const acting = await world.at('EE').actingStatement(clinicianOf('EE'), 'TREAT');
    const type = 'application/fhir+json';
    expect((await world.at('EE').call('/fhir/$correct', { token: foreign, acting, body: JSON.stringify(mine), type })).status).toBe(401);
    const system = await world.at('EE').systemToken();
    const stale = { token: system, acting, body: JSON.stringify(mine), type, headers: { 'if-match': 'W/"7"' } };
    expect((await world.at('EE').call('/fhir/$correct', stale)).text).toContain('fhir.version-conflict');
    const other = await newcomer(world, 'EE');
    const [patient] = entriesOf(await doctor.at(`/fhir/Patient?identifier=${other.identifier.system}|${other.identifier.value}`));
    const moved = parameters(
      { name: 'resource', resource: { ...entry, subject: { reference: `Patient/${patient?.id ?? ''}` } } },
      { name: 'reason', valueString: 'x' },
    );
    expect((await doctor.at('/fhir/$correct', moved)).status).toBeGreaterThanOrEqual(400);
    expect((await doctor.at('/fhir/$correct', parameters({ name: 'resource', resource: changed(9.9) }))).text).toContain('fhir.parameter-');
    expect(await versions()).toBe(before);
  });

  it('her dispute travels with the entry, and her words stay at home', async () => {
    const words = 'I was not fasting, whatever the note says';
    const answer = await herself.call('/person/disputes', { resource: `Observation/${entry.id}`, text: words });
    expect(answer.status, answer.text).toBeLessThan(300);
    const stranger = new Herself(world, await newcomer(world, 'EE'));
    expect((await stranger.call('/person/disputes', { resource: `Observation/${entry.id}`, text: words })).text).toContain(
      'person.entry-unknown',
    );
    obtained = await asker.obtain(person, ['laboratory']);
    const view = await asker.at(`/fhir/${obtained.view}`);
    expect(view.text).toContain('dispute');
    expect(view.text).not.toContain(words);
    expect((await herself.call('/person/record/export')).text).toContain(words);
    entry = await result();
  });

  it('a third party’s change is nothing without her permission', async () => {
    const before = await versions();
    expect((await propose(8.1, 'measured again here')).status).toBe(202);
    const id = await arrived('measured again here');
    await herself.hears('a change was proposed', ({ act }) => act === 'change-proposed');
    expect((await custodian('')).text).not.toContain(id);
    expect((await custodian(`${id}/accept`, { reason: 'right' })).text).toContain('person.proposal-not-permitted');
    expect((await custodian(id)).text).toContain('person.proposal-not-permitted');
    const stranger = new Herself(world, await newcomer(world, 'EE'));
    expect((await stranger.call(`/person/proposals/${id}/permit`, {})).text).toContain('person.proposal-unknown');
    expect((await herself.call(`/person/proposals/${id}/decline`, {})).status).toBe(200);
    expect((await custodian(`${id}/accept`, { reason: 'right' })).text).toContain('person.proposal-answered');
    expect((await herself.call(`/person/proposals/${id}/permit`, {})).text).toContain('person.proposal-answered');
    expect(await versions()).toBe(before);
  });

  it('and nothing without the custodian’s acceptance, which makes a version with reason and diff that she hears of', async () => {
    const before = await versions();
    expect((await propose(8.2, 'measured again, twice')).status).toBe(202);
    const id = await arrived('measured again, twice');
    expect((await herself.call(`/person/proposals/${id}/permit`, {})).status).toBe(200);
    expect(await versions()).toBe(before);
    const waiting = (await custodian('')).json<{ proposals: readonly { id: string; reason: string }[] }>().proposals;
    expect(waiting.filter((one) => one.id === id)).toMatchObject([{ reason: 'measured again, twice', types: ['Observation'] }]);
    expect((await custodian(id)).json()).toMatchObject({ changed: ['valueQuantity'] });
    expect((await custodian(`${id}/accept`, {})).status).toBeGreaterThanOrEqual(400);
    const accepted = await custodian(`${id}/accept`, { reason: 'confirmed by a second sample' });
    expect(accepted.json()).toMatchObject({ state: 'accepted', version: before + 1 });
    expect((await custodian(`${id}/accept`, { reason: 'again' })).text).toContain('person.proposal-answered');
    expect(await versions()).toBe(before + 1);
    const history = await doctor.at(`/fhir/Observation/${entry.id}/_history/${before + 1}`);
    expect(history.json<{ valueQuantity: { value: number } }>().valueQuantity.value).toBe(8.2);
    const provenance = await doctor.at(`/fhir/Provenance?target=Observation/${entry.id}`);
    expect(provenance.text).toContain('confirmed by a second sample');
    expect(provenance.text).toContain('valueQuantity');
    await herself.hears('an entry of hers was corrected', ({ act }) => act === 'entry-corrected');
    await eventually('the receiver’s view is marked', async () => {
      const state = await rows<{ state: string }>(world, 'PT', 'SELECT state FROM edge.view WHERE transfer_id = $1', [obtained.transfer]);
      return state[0]?.state === 'amended';
    });
    await herself.hears('the proposal was looked at and answered', ({ act }) => act === 'change-answered');
    expect((await custodian('')).text).not.toContain(id);
  });
});
