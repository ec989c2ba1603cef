import { beforeAll, describe, expect, it } from 'vitest';
import { leafHash } from '../checker/hashing.js';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained } from './abroad.js';
import { auditBodies, rows, type AuditBody } from './backstage.js';
import { clinicianOf, Herself, newcomer, type FeedLine, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

describe('every access and change is an event', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let herself: Herself;
  let doctor: Asker;
  let asker: Asker;
  let observation: string;
  let obtained: Obtained;

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
    herself = new Herself(world, person);
    doctor = new Asker(world, 'EE', 'PT');
    asker = new Asker(world, 'PT', 'EE');
  });

  /** What an event must tell: who, for whom, in which role, why. */
  const tells = (line: FeedLine, who: Asker): void => {
    expect(line.who).toEqual({ name: who.who.name, role: who.who.role, organisation: who.who.organisation.name });
    expect(line.purpose).toBe('TREAT');
  };
  const bodiesOf = (country: string, role: 'edge' | 'exchange', type: string, transfer?: string): Promise<readonly AuditBody[]> =>
    auditBodies(world, country, role, type, transfer);

  it('a search and a read at home: the person is told of both', async () => {
    observation = (await doctor.resultsAtHome(person))[0]?.id ?? '';
    tells(await herself.hears('her record was searched', ({ act }) => act === 'record-searched'), doctor);
    expect((await doctor.at(`/fhir/Observation/${observation}`)).status).toBe(200);
    tells(await herself.hears('an entry was read', ({ act }) => act === 'record-read'), doctor);
    const [event] = await bodiesOf('EE', 'edge', 'record-read');
    expect(event?.outcome).toBe('0');
    expect(event?.purposeOfEvent?.[0]?.coding[0]?.code).toBe('TREAT');
    expect(event?.agent.filter(({ requestor }) => requestor).map(({ name }) => name)).toEqual([doctor.who.name]);
    expect(event?.agent.map(({ who }) => who.display)).toContain(doctor.who.organisation.name);
  });

  it('a refusal, a match and a release: each with its outcome, and the release with its permit', async () => {
    expect(await asker.find(person)).toBeUndefined();
    const refusal = await herself.hears('somebody abroad was refused', ({ act }) => act === 'release-refused');
    tells(refusal, asker);
    expect(refusal.outcome).toBe('refused');
    await herself.permits(['PT'], ['laboratory', 'summary']);
    await herself.hears('she gave a permission', ({ act }) => act === 'consent-given');
    obtained = await asker.obtain(person, ['laboratory', 'summary']);
    const { transfer, permit } = obtained;
    tells(await herself.hears('she was matched', ({ act }) => act === 'person-matched'), asker);
    const released = await herself.hears(
      'her record was released',
      ({ act, transferId }) => act === 'record-released' && transferId === transfer,
    );
    tells(released, asker);
    expect(released.permitId).toBe(permit);
    await herself.hears('PT received it', ({ act, transferId }) => act === 'record-received-abroad' && transferId === transfer);
    expect(await bodiesOf('PT', 'exchange', 'record-opened', transfer)).toHaveLength(1);
  });

  it('each reading of the view abroad, on its permit', async () => {
    const reads = async (): Promise<number> =>
      (await herself.feed()).filter(({ act, permitId }) => act === 'view-read-abroad' && permitId === obtained.permit).length;
    const looks = [
      `/fhir/${obtained.view}`,
      `/fhir/Patient/${obtained.handle}/$summary`,
      `/fhir/Observation?patient=Patient/${obtained.handle}`,
    ];
    for (const [index, path] of looks.entries()) {
      expect((await asker.at(path)).status).toBe(200);
      await eventually(`she hears of look ${index + 1}`, async () => (await reads()) === index + 1);
    }
    const line = await herself.hears('read abroad', ({ act }) => act === 'view-read-abroad');
    tells(line, asker);
    expect(await bodiesOf('PT', 'edge', 'view-read', obtained.transfer)).toHaveLength(looks.length);
  });

  it('a call that names no professional, or no person’s right, reads nothing', async () => {
    const ee = world.at('EE');
    const token = await ee.systemToken();
    const bare = await ee.call(`/fhir/Observation/${observation}`, { token });
    expect(bare.status).toBeGreaterThanOrEqual(400);
    expect(bare.text).toContain('access.professional-missing');
    const nobody = { ...clinicianOf('EE'), name: '' };
    expect((await ee.clinical(nobody, `/fhir/Observation/${observation}`)).status).toBeGreaterThanOrEqual(400);
  });

  it('is in the country’s log under the hash of its row, with none left out', async () => {
    for (const country of ['EE', 'PT']) {
      await eventually(`the log of ${country} has caught up`, async () => {
        const missing = `SELECT id FROM (SELECT id FROM edge.audit_event UNION ALL SELECT id FROM exchange.audit_event) a LEFT JOIN notary.log_leaf l ON l.event_id = a.id WHERE l.event_id IS NULL`;
        return (await rows(world, country, missing)).length === 0;
      });
      const all = `SELECT a.body, l.leaf_hash AS leaf FROM exchange.audit_event a JOIN notary.log_leaf l ON l.event_id = a.id ORDER BY a.seq DESC LIMIT 50`;
      for (const { body, leaf } of await rows<{ body: Buffer; leaf: string }>(world, country, all)) expect(leafHash(body)).toBe(leaf);
    }
  });

  it('happens not at all where its row cannot be written', async () => {
    const path = `/fhir/Observation/${observation}`;
    await rows(world, 'EE', 'REVOKE INSERT ON edge.audit_event FROM ee_edge');
    try {
      const answer = await doctor.at(path);
      expect(answer.status).toBeGreaterThanOrEqual(500);
      expect(answer.text).not.toContain('valueQuantity');
    } finally {
      await rows(world, 'EE', 'GRANT INSERT ON edge.audit_event TO ee_edge');
    }
    expect((await doctor.at(path)).status).toBe(200);
  });
});
