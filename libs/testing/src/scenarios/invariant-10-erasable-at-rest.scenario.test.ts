import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@portolan/keys';
import { verifyInclusion } from '@portolan/verify';
import { beforeAll, describe, expect, it } from 'vitest';
import { BodiesAtRest, type DataKeyRow } from '../checker/bodies-at-rest.js';
import { leafHash } from '../checker/hashing.js';
import { runCli } from '../story/cli-process.js';
import { entriesOf } from '../story/fhir-asks.js';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained } from './abroad.js';
import { foldersOf, rows } from './backstage.js';
import { Herself, newcomer, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

interface Proof {
  readonly index: number;
  readonly size: number;
  readonly root: string;
  readonly path: readonly string[];
}

describe('what is kept of a person can be erased, and what was proved stays proved', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let id: string;
  let obtained: Obtained;
  let observation: string;
  let events: readonly { id: string; body: Buffer }[];

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
    await new Herself(world, person).permits(['PT'], ['laboratory', 'summary']);
    const doctor = new Asker(world, 'EE', 'PT');
    observation = (await doctor.resultsAtHome(person))[0]?.id ?? '';
    obtained = await new Asker(world, 'PT', 'EE').obtain(person, ['laboratory']);
    const [row] = await rows<{ person: string }>(world, 'EE', 'SELECT person FROM edge.person_identifier WHERE value = $1', [
      person.identifier.value,
    ]);
    id = row?.person ?? '';
    events = await rows(
      world,
      'EE',
      'SELECT id, body FROM exchange.audit_event WHERE person = $1 UNION ALL SELECT id, body FROM edge.audit_event WHERE person = $1',
      [id],
    );
  });

  /** Bodies of hers that still open with every key that lies on the disk. That she was erased stays readable: it is nobody's health. */
  const readable = async (): Promise<string[]> => {
    const texts: string[] = [];
    for (const [role, table, place] of [
      ['edge', 'resource_version', `type || '/' || id || '/' || version_id`],
      ['edge', 'feed_entry', 'id::text'],
      ['edge', 'audit_event', 'id::text'],
      ['exchange', 'audit_event', 'id::text'],
    ] as const) {
      const keys = await rows<DataKeyRow>(world, 'EE', `SELECT id, wrapped FROM ${role}.data_key`);
      const disk = await BodiesAtRest.open(foldersOf(world, 'EE').master(role), keys);
      const sql = `SELECT key_id, body, ${place} AS place FROM ${role}.${table} WHERE person = $1`;
      for (const { key_id: key, body, place: row } of await rows<{ key_id: string; body: Buffer; place: string }>(world, 'EE', sql, [id])) {
        const opened = disk.read(key, body, `${role}.${table}:${row}`);
        if (typeof opened !== 'string' && !opened.text.includes('"person-erased"'))
          texts.push(`${role}.${table} ${opened.text.slice(0, 80)}`);
      }
    }
    return texts;
  };
  const messages = async (): Promise<string[]> => {
    const keys = await rows<DataKeyRow>(world, 'EE', 'SELECT id, wrapped FROM edge.data_key');
    const disk = await BodiesAtRest.open(foldersOf(world, 'EE').master('edge'), keys);
    const sql = `SELECT key_id, original, id FROM edge.message WHERE control_id LIKE $1`;
    const found = await rows<{ key_id: string; original: Buffer; id: string }>(world, 'EE', sql, [`%${person.mark}`]);
    const opened = found.map(({ key_id: key, original, id: row }) => disk.read(key, original, `edge.message:${row}`));
    return opened.map((one) => (typeof one === 'string' ? one : 'readable'));
  };
  const regulator = async (path: string) => world.at('EE').call(path, { token: await world.at('EE').login('regulator') });
  const receiptVerifies = async (): Promise<number> => {
    const folder = world.provisioned.folder;
    const [receipt, trust] = [join(folder, 'receipt-of-invariant-10.json'), join(folder, 'trust-of-invariant-10.json')];
    await eventually('the receipt is told', async () => {
      const answer = await regulator(`/regulator/receipts/${obtained.transfer}?step=released`);
      await writeFile(receipt, answer.text);
      return answer.status === 200;
    });
    await writeFile(trust, (await regulator('/regulator/trust')).text);
    return (await runCli(folder, ['verify', receipt, '--trust', trust])).code;
  };
  const proved = async (event: { id: string; body: Buffer }): Promise<boolean> => {
    let proof: Proof | undefined;
    await eventually('the event is proved', async () => {
      const answer = await regulator(`/regulator/events/${event.id}/proof`);
      proof = answer.status === 200 ? answer.json<Proof>() : undefined;
      return proof !== undefined;
    });
    return verifyInclusion({ leafHash: leafHash(event.body), ...(proof as Proof) }, sha256);
  };

  it('is read with the keys on the disk while they are there: the search below would find it', async () => {
    expect((await readable()).some((text) => text.startsWith('edge.resource_version') && text.includes('resourceType'))).toBe(true);
    expect((await readable()).filter((text) => text.startsWith('exchange.audit_event')).length).toBeGreaterThan(0);
    expect(await messages()).toEqual(['readable', 'readable']);
    expect(events.length).toBeGreaterThan(3);
    expect(await proved(events[0] as { id: string; body: Buffer })).toBe(true);
  });

  it('cannot be read by anybody once it is erased', async () => {
    const operator = await world.at('EE').login('operator');
    const body = JSON.stringify({ identifier: person.identifier, reason: 'asked for by the person' });
    const answer = await world.at('EE').call('/operator/persons/erase', { token: operator, body });
    expect(answer.status, answer.text).toBe(200);
    await eventually('nothing opens any more, in the exchange too', async () => (await readable()).length === 0, 10_000).catch(async () =>
      expect(await readable()).toEqual([]),
    );
    expect(await messages()).toEqual(['destroyed', 'destroyed']);
    const transfers = `SELECT t.transfer_id FROM exchange.transfer t JOIN exchange.data_key k ON k.id = t.key_id WHERE t.person = $1 AND k.wrapped IS NOT NULL`;
    expect(await rows(world, 'EE', transfers, [id])).toEqual([]);
    const waiting = `SELECT o.id FROM exchange.outbox o JOIN exchange.data_key k ON k.id = o.key_id WHERE k.person = $1 AND k.wrapped IS NOT NULL`;
    expect(await rows(world, 'EE', waiting, [id])).toEqual([]);
  });

  it('is found by no search, at home or from abroad', async () => {
    const doctor = new Asker(world, 'EE', 'PT');
    const patients = await doctor.at(`/fhir/Patient?identifier=${person.identifier.system}|${person.identifier.value}`);
    expect(entriesOf(patients)).toEqual([]);
    expect(entriesOf(await doctor.at(`/fhir/Patient?family=${person.family}`))).toEqual([]);
    expect(observation).not.toBe('');
    expect([404, 410]).toContain((await doctor.at(`/fhir/Observation/${observation}`)).status);
    expect(await new Asker(world, 'PT', 'EE').find(person)).toBeUndefined();
    expect((await new Herself(world, person).call('/person/me')).text).toContain('person.no-record');
    for (const sql of [
      'SELECT 1 FROM edge.person_identifier WHERE person = $1',
      'SELECT 1 FROM edge.person WHERE id = $1',
      'SELECT 1 FROM edge.search_value s JOIN edge.resource r ON r.type = s.type AND r.id = s.resource_id WHERE r.person = $1',
    ])
      expect(await rows(world, 'EE', sql, [id]), sql).toEqual([]);
  });

  it('leaves log and channel as they were proved before', async () => {
    const now = await rows<{ id: string; body: Buffer }>(
      world,
      'EE',
      'SELECT id, body FROM exchange.audit_event WHERE person = $1 UNION ALL SELECT id, body FROM edge.audit_event WHERE person = $1',
      [id],
    );
    const bodies = new Map(now.map((event) => [event.id, event.body.toString('hex')]));
    for (const event of events) expect(bodies.get(event.id)).toBe(event.body.toString('hex'));
    for (const event of events.slice(0, 3)) expect(await proved(event)).toBe(true);
    const [first] = events;
    const altered = { id: first?.id ?? '', body: Buffer.concat([first?.body ?? Buffer.alloc(0), Buffer.of(0)]) };
    expect(await proved(altered)).toBe(false);
    expect(await receiptVerifies()).toBe(0);
  });
});
