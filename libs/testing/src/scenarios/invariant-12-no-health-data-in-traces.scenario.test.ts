import { readdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../client/country-client.js';
import { sendMllp } from '../client/mllp.js';
import { Asker } from './abroad.js';
import { everythingIn, ordererRows, rows } from './backstage.js';
import { filed, Herself, messagesAbout, somebody, tokenOf, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

/** Words that stand nowhere else; each door gets its own, so that a find says where it leaked. */
const canary = (door: string): string => `kanaari${door}${Math.random().toString(36).slice(2, 10)}`;

describe('no health data in logs, names, topics, the notary or errors', () => {
  let world: SharedWorld;
  let person: Newcomer;
  const planted: string[] = [];
  const errors: string[] = [];

  const plant = (door: string): string => {
    const word = canary(door);
    planted.push(word);
    return word;
  };
  /** An answer that must say what failed, and nothing of what was sent. */
  const failing = ({ status, text }: Answer): void => {
    expect(status, text).toBeGreaterThanOrEqual(400);
    errors.push(text);
  };

  beforeAll(async () => {
    world = await sharedWorld();
    person = { ...somebody('EE'), family: `Kanaari${plant('family')}` };
    planted.push(person.identifier.value, person.birthDate, person.birthDate.replaceAll('-', ''));
    await overMllp();
    await overHttp();
    await overFhir();
    await overPersonApi();
    await abroad();
    await badInput();
    await pause(1_000);
  });

  async function overMllp(): Promise<void> {
    for (const message of await messagesAbout(person)) {
      const text = Buffer.from(message)
        .toString('utf8')
        .replace('Proov võetud', `${plant('note')} võetud`)
        .replace('|7.80|', '|7.8147|');
      await filed(world.at('EE'), Buffer.from(text));
    }
    planted.push('7.8147');
    const broken = `MSH|^~\\&|NAIDIS-HIS|EE-TUNDMATU|PORTOLAN|EE|2026||ADT^A08|X1|P|2.5.1\rPID|1||${plant('pid')}^^^EE-PIN^NI||${plant('name')}^Mari||19${plant('date')}|F`;
    for (const message of [broken, `${plant('noise')} is no message`, `${broken.split('\r')[0] ?? ''}\rPID|1||${plant('cut')}`]) {
      errors.push(await sendMllp(world.at('EE').config.mllp, Buffer.from(message)));
    }
  }

  async function overHttp(): Promise<void> {
    const ee = world.at('EE');
    const token = await ee.systemToken();
    failing(
      await ee.call('/ingest', {
        token,
        body: `<ClinicalDocument xmlns="urn:hl7-org:v3"><title>${plant('cda')}</title>`,
        type: 'application/xml',
      }),
    );
    failing(await ee.call('/ingest', { token, body: `{"${plant('json')}": 1}`, type: 'application/json' }));
    failing(await ee.call(`/${plant('path')}/x?name=${plant('query')}`, { token }));
    failing(await ee.call('/person/me', { token: plant('token') }));
  }

  async function overFhir(): Promise<void> {
    const doctor = new Asker(world, 'EE', 'PT');
    await doctor.at(`/fhir/Patient?identifier=${person.identifier.system}|${person.identifier.value}`);
    await doctor.at(`/fhir/Patient?name=${person.family}&birthdate=${person.birthDate}`);
    failing(await doctor.at(`/fhir/Observation/${plant('id')}`));
    failing(await doctor.at(`/fhir/Patient?birthdate=${plant('birthdate')}`));
    failing(await doctor.at('/fhir/Patient/$match', { resourceType: 'Patient', name: [{ family: plant('match') }] }));
    failing(
      await doctor.at('/fhir/$correct', {
        resourceType: 'Parameters',
        parameter: [{ name: 'resource', resource: { resourceType: plant('type') } }],
      }),
    );
    failing(
      await doctor.at('/fhir/$declare-emergency', {
        resourceType: 'Parameters',
        parameter: [{ name: 'reason', valueString: plant('reason') }],
      }),
    );
  }

  async function overPersonApi(): Promise<void> {
    const herself = new Herself(world, person);
    failing(await herself.call('/person/consents', { recipients: [plant('country')], purposes: ['TREAT'] }));
    failing(await herself.call('/person/disputes', { resource: `Observation/${plant('entry')}`, text: plant('dispute') }));
    failing(await herself.call('/person/disputes', { resource: 'Observation/x', text: plant('words') }));
    const stranger = { ...person, identifier: { ...person.identifier, value: plant('stranger') } };
    failing(await world.at('EE').call('/person/me', { token: await tokenOf(world, stranger) }));
  }

  async function abroad(): Promise<void> {
    const herself = new Herself(world, person);
    await herself.permits(['PT'], ['laboratory', 'summary']);
    const asker = new Asker(world, 'PT', 'EE');
    const { handle } = await asker.obtain(person, ['laboratory', 'summary']);
    const shown = await asker.at(`/fhir/Patient/${handle}/$summary`);
    expect(shown.text).toContain(person.family);
    await asker.match({ ...person, birthDate: '1900-01-01', family: plant('sought') });
  }

  async function badInput(): Promise<void> {
    const ee = world.at('EE');
    const token = await ee.systemToken();
    failing(await ee.call('/fhir/Patient', { token, acting: plant('acting') }));
    failing(await ee.call('/ingest', { token, body: Buffer.from([0xff, 0xfe, ...Buffer.from(plant('bytes'))]), type: 'text/plain' }));
    failing(await ee.call('/fhir/$adopt', { token, body: `{"resourceType":"${plant('truncated')}`, type: 'application/fhir+json' }));
  }

  const silent = (where: string, text: string): void => {
    for (const word of planted) expect(text.includes(word), `${word} in ${where}`).toBe(false);
  };

  it('has planted a word at every door', () => {
    expect(planted.length).toBeGreaterThan(30);
    expect(errors.length).toBeGreaterThan(18);
  });

  it('repeats none of them in an error answer or a negative acknowledgement', () => {
    for (const text of errors) silent(`the answer ${text.slice(0, 200)}`, text);
  });

  it('writes none of them to any node’s log', async () => {
    const log = await world.logs();
    expect(log.length).toBeGreaterThan(0);
    silent('nodes.log', log);
  });

  it('keeps none of them at the notaries or the orderer', async () => {
    const countries = ['EE', 'PT', 'BE', 'DE'].map((country) => everythingIn((sql) => rows(world, country, sql), 'notary'));
    const found = (await Promise.all([...countries, everythingIn((sql) => ordererRows(world, sql), 'orderer')])).flat();
    for (const word of planted)
      expect(
        found.filter(({ text }) => text.includes(word)).map(({ table }) => table),
        word,
      ).toEqual([]);
  });

  it('puts none of them into a file’s name, or into a message’s key', async () => {
    const names = await readdir(world.provisioned.folder, { recursive: true });
    expect(names.length).toBeGreaterThan(50);
    silent('a file name', names.join('\n'));
    for (const country of ['EE', 'PT']) {
      const keys = await rows<{ key: string; id: string }>(
        world,
        country,
        'SELECT key, id FROM exchange.outgoing UNION ALL SELECT key, id FROM exchange.incoming',
      );
      const roles = await rows<{ key: string }>(
        world,
        country,
        `SELECT key FROM edge.outbox UNION ALL SELECT key FROM exchange.outbox UNION ALL SELECT key FROM notary.outbox`,
      );
      silent('a message’s key', JSON.stringify([keys, roles]));
    }
  });

  it('keeps what was sent unreadable where it does lie: at the edge and in the exchange', async () => {
    for (const [country, schema] of [
      ['EE', 'exchange'],
      ['PT', 'exchange'],
    ] as const) {
      const found = await everythingIn((sql) => rows(world, country, sql), schema);
      for (const word of planted)
        expect(
          found.filter(({ text }) => text.includes(word)).map(({ table }) => table),
          word,
        ).toEqual([]);
    }
    const bodies = [
      'message',
      'message_account',
      'resource_version',
      'feed_entry',
      'audit_event',
      'outbox',
      'view_resource',
      'edge_transfer',
    ];
    for (const country of ['EE', 'PT']) {
      const found = (await everythingIn((sql) => rows(world, country, sql), 'edge')).filter(({ table }) =>
        bodies.includes(table.split('.')[1] ?? ''),
      );
      const clear = planted.filter((word) => word.startsWith('kanaari'));
      for (const word of clear)
        expect(
          found.filter(({ text }) => text.includes(word)).map(({ table }) => table),
          word,
        ).toEqual([]);
    }
  });
});
