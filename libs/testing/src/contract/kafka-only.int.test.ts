import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { PortolanError } from '@portolan/contracts';
import { KafkaDeadLetters, KafkaInboxAdmin, TOPIC_LIMITS, TopicWriter, WRITER_LIMITS, type KafkaClientConfig } from '@portolan/kafka';
import type { KafkaInboxLimits, KafkaInboxListener, TopicRecord } from '@portolan/kafka';
import { CountryFolders, writeRefusedKeys, writeTlsIdentity, type TlsIdentity } from '@portolan/keys';
import { inboxOf } from '@portolan/nest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keyPair, partnerIdentity, serverIdentity } from '../stack/certificates.js';
import type { ClientName } from '../stack/kafka/client.js';
import { readBrokerLog } from '../stack/kafka/kafka-broker.js';
import { WorldProcess } from '../world/processes.js';
import { repository } from '../world/world.js';
import { kafkaAbsent, kafkaFixture, type KafkaFixture } from './kafka-fixture.js';
import { comesAbout, deliver, message, type Accept } from './partner-inbox.contract.js';

const absent = await kafkaAbsent();
/** Another client on request: `npx vitest run --project kafka-confluent`. */
const client = (process.env['KAFKA_CLIENT'] ?? 'kafkajs') as ClientName;
const inCi = process.env['CI'] === 'true';
const quick: Partial<KafkaInboxLimits> = { sessionMs: 3_000, heartbeatMs: 500, compareEveryMs: 500 };

/** Open sockets of this process, whoever opened them: Node where it tells, and libraries of other languages by Linux' own list. */
const sockets = (): number => {
  if (!existsSync('/proc/self/fd')) return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  return readdirSync('/proc/self/fd').filter((name) => targetOf(name).startsWith('socket:')).length;
};
const targetOf = (name: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${name}`);
  } catch {
    return '';
  }
};

describe.skipIf(absent !== undefined && !inCi)(`What only Kafka does${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  let kafka: KafkaFixture;
  const [pt, de] = [keyPair(), keyPair()];
  const admitted = [
    { country: 'PT', kid: pt.kid },
    { country: 'DE', kid: de.kid },
  ];
  let ptIdentity: TlsIdentity;
  let deIdentity: TlsIdentity;
  let round = 0;
  beforeAll(async () => {
    kafka = await kafkaFixture(client);
    [ptIdentity, deIdentity] = [await partnerIdentity(kafka.authority, 'PT', pt), await partnerIdentity(kafka.authority, 'DE', de)];
  });
  afterAll(() => kafka.close());
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  /** Ids of one test, and what a database has of them, with how often each came. */
  function store(): { id: (name: string | number) => string; imports: Map<string, number>; accept: Accept } {
    const prefix = `k${(round += 1)}-`;
    const imports = new Map<string, number>();
    return {
      id: (name) => `${prefix}${name}`,
      imports,
      // What an earlier test left in the topics is another's.
      accept: async (_from, { id }) => {
        if (id.startsWith(prefix)) imports.set(id, (imports.get(id) ?? 0) + 1);
      },
    };
  }
  async function inbox(accept: Accept, limits: Partial<KafkaInboxLimits> = {}): Promise<KafkaInboxListener> {
    const made = kafka.listener(() => admitted, { limits: { ...quick, ...limits } });
    closing.push(() => made.close());
    await made.listen(accept, () => Promise.resolve(true));
    return made;
  }
  const link = (identity: () => TlsIdentity = () => ptIdentity, country = 'PT') => {
    const made = kafka.kafkaLink(country, identity);
    closing.push(() => made.close());
    return made;
  };
  const clientOf = (identity: TlsIdentity, port: number): KafkaClientConfig => ({
    clientId: 'test',
    brokers: [{ host: '127.0.0.1', port }],
    identity,
    log: kafka.log,
    code: 'exchange.inbox-unavailable',
  });
  const writer = (topic: string): TopicWriter => {
    const made = new TopicWriter(topic, clientOf(kafka.inner, kafka.broker.ports.country), WRITER_LIMITS);
    closing.push(() => made.retire());
    return made;
  };

  describe('a partner', () => {
    it.each([
      ['another country’s topic', 'DE'],
      ['a topic that does not exist', 'FR'],
    ])('is refused %s', async (_what, country) => {
      await inbox(() => Promise.resolve());
      const refused = { code: 'exchange.partner-refused', detail: 'TOPIC_AUTHORIZATION_FAILED' };
      await expect(link(() => ptIdentity, country).send('EE', message('m'))).rejects.toMatchObject(refused);
    });

    it('can read nothing, not even what it wrote, and can change no grant', async () => {
      await inbox(() => Promise.resolve());
      const config = clientOf(ptIdentity, kafka.broker.ports.partners);
      const letters = new KafkaDeadLetters(config);
      const admin = new KafkaInboxAdmin(config, TOPIC_LIMITS);
      closing.push(() => admin.close());
      await expect(letters.list(10)).rejects.toMatchObject({ detail: expect.stringMatching(/AUTHORIZATION_FAILED/) });
      await expect(admin.ensure(admitted.map(({ country, kid }) => ({ country, kids: [kid] })))).rejects.toMatchObject({
        detail: expect.stringMatching(/AUTHORIZATION_FAILED/),
      });
    });

    it('is slowed down where it writes more than its quota', async () => {
      // A quota is set with a grant: a key that is new.
      const key = keyPair();
      const own = await partnerIdentity(kafka.authority, 'PT', key);
      const { id, imports, accept } = store();
      const withKey = kafka.listener(() => [...admitted, { country: 'PT', kid: key.kid }], {
        limits: quick,
        topics: { partnerBytesPerSecond: 200_000 },
      });
      closing.push(() => withKey.close());
      await withKey.listen(accept, () => Promise.resolve(true));
      const to = link(() => own);
      const start = performance.now();
      for (let i = 0; i < 30; i += 1) await deliver(to, message(id(i), `t-${i}`, new Uint8Array(100_000)));
      // 3 MB at 200 kB a second, less a first burst of some seconds' worth.
      expect(performance.now() - start).toBeGreaterThan(2_000);
      await comesAbout(() => imports.size === 30);
    });
  });

  describe('a key that ended', () => {
    it('loses its grants, and our own sockets to its country are destroyed', async () => {
      const { id } = store();
      const key = keyPair();
      const own = await partnerIdentity(kafka.authority, 'PT', key);
      const to = link(() => own);
      const dropped: string[] = [];
      const listener = kafka.listener(() => [...admitted, { country: 'PT', kid: key.kid }], {
        limits: quick,
        onDrop: (country, kid) => dropped.push(`${country}-${kid}`),
      });
      closing.push(() => listener.close());
      await listener.listen(
        () => Promise.resolve(),
        () => Promise.resolve(true),
      );
      await to.send('EE', message(id(1)));
      const before = sockets();
      listener.drop('PT', key.kid);
      to.drop('EE');
      await comesAbout(() => sockets() < before, 1_000);
      expect(dropped).toEqual([`PT-${key.kid}`]);
      // Long enough for several comparisons, none of which may grant it anything again.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const refused = { code: 'exchange.partner-refused', detail: expect.stringMatching(/AUTHORIZATION_FAILED/) };
      await expect(to.send('EE', message(id(2)))).rejects.toMatchObject(refused);
    });

    it('loses its grants by comparison too, where nobody told that it was dropped', async () => {
      const key = keyPair();
      const own = await partnerIdentity(kafka.authority, 'PT', key);
      const ended = new Set<string>();
      const listener = kafka.listener(() => [...admitted, { country: 'PT', kid: key.kid }], { limits: quick });
      closing.push(() => listener.close());
      await listener.listen(
        () => Promise.resolve(),
        async (_country, kid) => !ended.has(kid),
      );
      const [{ id }, to] = [store(), link(() => own)];
      await to.send('EE', message(id(1)));
      ended.add(key.kid);
      let refusal: unknown;
      const start = performance.now();
      while (refusal === undefined && performance.now() - start < 10_000)
        await to.send('EE', message(id(2))).catch((error: unknown) => (refusal = error));
      expect(refusal).toMatchObject({ code: 'exchange.partner-refused' });
      await link().send('EE', message(id(3)));
    });
  });

  describe('a key that our own authority revoked', () => {
    it('loses its grants while the channel still calls it live, as a node composes its inbox', async () => {
      const home = await mkdtemp(join(tmpdir(), 'portolan-refused-'));
      closing.push(() => rm(home, { recursive: true }));
      const folders = new CountryFolders(home);
      await writeTlsIdentity(folders.internal('exchange'), kafka.inner);
      await writeTlsIdentity(folders.inbox, kafka.inner);
      const key = keyPair();
      const own = await partnerIdentity(kafka.authority, 'PT', key);
      const config = {
        country: 'EE',
        inbox: { kind: 'kafka' as const, brokers: [{ host: '127.0.0.1', port: kafka.broker.ports.country }] },
        partners: ['PT', 'DE'].map((country) => ({ country, inbox: { host: '127.0.0.1', port: 1 } })),
      };
      const channel = { tlsKeys: (country: string) => Promise.resolve(country === 'PT' ? [pt.kid, key.kid] : [de.kid]) };
      const logger = { failure: () => undefined, info: () => undefined };
      const listener = await inboxOf({ config, partners: { all: config.partners }, folders, logger }, channel as never);
      closing.push(() => listener.close());
      await listener.listen(
        () => Promise.resolve(),
        () => Promise.resolve(true),
      );
      const [{ id }, to] = [store(), link(() => own)];
      await to.send('EE', message(id(1)));
      await writeRefusedKeys(folders.inbox, { keys: [{ org: 'PT', kid: key.kid }], serials: [] });
      let refusal: unknown;
      const start = performance.now();
      while (refusal === undefined && performance.now() - start < 20_000)
        await to.send('EE', message(id(2))).catch((error: unknown) => (refusal = error));
      expect(refusal).toMatchObject({ code: 'exchange.partner-refused' });
      await link().send('EE', message(id(3)));
    });
  });

  describe('what was sent', () => {
    it('is all there once after the broker was killed under it and stood up again', async () => {
      const { id, imports, accept } = store();
      await inbox(accept);
      const [to, other] = [link(), link(() => deIdentity, 'DE')];
      const sending = Array.from({ length: 600 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * 5));
        await deliver(i % 2 === 0 ? to : other, message(id(i), `t-${i % 9}`));
      });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await kafka.broker.kill();
      await kafka.broker.start();
      await Promise.all(sending);
      await comesAbout(() => imports.size === 600, 60_000);
      expect([...imports.keys()].every((one) => one.startsWith(id('')))).toBe(true);
    });

    it('is not taken for the repetition of what failed before it: the broker hung, and kafkajs gave up', async () => {
      const { id, imports, accept } = store();
      await inbox(accept, { sessionMs: 30_000 });
      const to = kafka.kafkaLink('PT', () => ptIdentity, { answerMs: 500 });
      closing.push(() => to.close());
      await to.send('EE', message(id('warm')));
      kafka.broker.freeze(true);
      const failed = await to.send('EE', message(id('failed'))).catch((error: unknown) => error);
      kafka.broker.freeze(false);
      expect(failed).toMatchObject({ code: 'exchange.partner-unreachable', retriable: true });
      // The broker stores it all the same, now that it goes on; the next one has the same number, had kafkajs its way.
      await comesAbout(() => imports.has(id('failed')));
      await deliver(to, message(id('next')));
      await comesAbout(() => imports.has(id('next')), 10_000);
    });

    it('holds no link open for long that is closed while the broker hangs', async () => {
      const { id, accept } = store();
      await inbox(accept, { sessionMs: 30_000 });
      const to = kafka.kafkaLink('PT', () => ptIdentity);
      await to.send('EE', message(id(1)));
      kafka.broker.freeze(true);
      try {
        const sending = to.send('EE', message(id(2))).catch((error: unknown) => error);
        await new Promise((resolve) => setTimeout(resolve, 200));
        const start = performance.now();
        await to.close();
        expect(performance.now() - start).toBeLessThan(5_000);
        expect(await sending).toMatchObject({ code: 'exchange.partner-unreachable' });
      } finally {
        kafka.broker.freeze(false);
      }
    });

    it('is all there once after an instance was killed in the middle, and another went on', async () => {
      const { id } = store();
      const folder = await mkdtemp(join(tmpdir(), 'portolan-consumer-'));
      const plan = {
        brokers: [{ host: '127.0.0.1', port: kafka.broker.ports.country }],
        identity: kafka.inner,
        partners: admitted.map(({ country, kid }) => ({ country, kids: [kid] })),
        imports: join(folder, 'imports'),
        acceptMs: 10,
        ...(kafka.other === undefined ? {} : { package: kafka.other.package }),
      };
      await writeFile(join(folder, 'plan.json'), JSON.stringify(plan), { mode: 0o600 });
      const child = join(repository, 'libs/testing/dist/contract/kafka-consumer-child.js');
      const instance = (name: string): WorldProcess => new WorldProcess(name, [child, join(folder, 'plan.json')], () => undefined);
      const imported = async (): Promise<string[]> =>
        (await readFile(plan.imports, 'utf8').catch(() => '')).split('\n').filter((line) => line.startsWith(id('')));
      const [first, second] = [instance('first'), instance('second')];
      closing.push(
        () => rm(folder, { recursive: true, force: true }),
        () => first.stop(),
        () => second.stop(),
      );
      await first.start();
      const to = link();
      await Promise.all(Array.from({ length: 400 }, (_, i) => deliver(to, message(id(i), `t-${i}`))));
      while ((await imported()).length < 50) await new Promise((resolve) => setTimeout(resolve, 10));
      await first.stop('SIGKILL');
      const before = (await imported()).length;
      await second.start();
      const end = performance.now() + 40_000;
      while ((await imported()).length < 400 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
      const all = await imported();
      expect(before).toBeLessThan(400);
      expect([all.length, new Set(all).size]).toEqual([400, 400]);
    });

    it('is shared by instances, and is all there though one comes and one goes', async () => {
      const one = store();
      const two = { imports: new Map<string, number>() };
      const slow =
        (accept: Accept): Accept =>
        async (from, each) => {
          await new Promise((resolve) => setTimeout(resolve, 3));
          await accept(from, each);
        };
      const first = await inbox(slow(one.accept));
      const [id, to] = [one.id, link()];
      const sending = Array.from({ length: 1_000 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * 6));
        await deliver(to, message(id(i), `t-${i}`));
      });
      await comesAbout(() => one.imports.size > 50);
      await inbox(slow(async (_from, each) => void two.imports.set(each.id, 1)));
      await comesAbout(() => two.imports.size > 50);
      const shared = one.imports.size;
      await comesAbout(() => one.imports.size > shared);
      await first.close();
      await Promise.all(sending);
      await comesAbout(() => new Set([...one.imports.keys(), ...two.imports.keys()]).size === 1_000);
    });
  });

  describe('a receiver', () => {
    it('that is slow is not overrun: so many at a time, and everything in the end', async () => {
      let [running, most] = [0, 0];
      const { id, imports, accept } = store();
      const slow: Accept = async (from, one) => {
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setTimeout(resolve, 20));
        running -= 1;
        await accept(from, one);
      };
      await inbox(slow, { accepting: 2, partitionsAtOnce: 2 });
      const to = link();
      await Promise.all(Array.from({ length: 300 }, (_, i) => deliver(to, message(id(i), `t-${i}`, new Uint8Array(20_000)))));
      await comesAbout(() => imports.size === 300);
      expect(most).toBeLessThanOrEqual(4);
      expect(most).toBeGreaterThan(1);
    });

    it('that takes longer for one message than a session lasts keeps its partitions', async () => {
      const { id, imports, accept } = store();
      await inbox(async (from, one) => {
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        await accept(from, one);
      });
      await link().send('EE', message(id(1)));
      await comesAbout(() => imports.has(id(1)));
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(imports.get(id(1))).toBe(1);
    });

    it('that cannot store what comes from one partner still stores what comes from another', async () => {
      const { id, imports, accept } = store();
      let broken = true;
      await inbox(async (from, one) => {
        if (from === 'PT' && broken) throw new PortolanError('keys.none-live', 'inside');
        await accept(from, one);
      });
      for (let i = 0; i < 8; i += 1) await link().send('EE', message(id(`pt-${i}`), `t-${i}`));
      for (let i = 0; i < 8; i += 1) await link(() => deIdentity, 'DE').send('EE', message(id(`de-${i}`), `t-${i}`));
      await comesAbout(() => imports.size === 8);
      expect([...imports.keys()].every((one) => one.startsWith(id('de')))).toBe(true);
      broken = false;
      await comesAbout(() => imports.size === 16);
    });
  });

  describe('what can never be taken', () => {
    const header = 'portolan-message-id';
    const poison: [string, TopicRecord, string][] = [
      ['without an id', { key: 't', value: Buffer.from('x'), headers: {} }, 'exchange.message-malformed'],
      ['with an id that is none', { key: 't', value: Buffer.from('x'), headers: { [header]: 'a b' } }, 'exchange.message-malformed'],
      ['with a key that is none', { key: 'a b', value: Buffer.from('x'), headers: { [header]: 'm' } }, 'exchange.message-malformed'],
      ['without a body', { key: 't', value: null, headers: { [header]: 'm' } }, 'exchange.message-malformed'],
      ['that is too large', { key: 't', value: Buffer.alloc(3_100_000), headers: { [header]: 'm' } }, 'exchange.message-too-large'],
    ];
    it.each(poison)('is a dead letter and holds nothing up: a record %s', async (_what, record, code) => {
      const { id, imports, accept } = store();
      const listener = await inbox(accept);
      const before = (await listener.deadLetters.list(1_000)).length;
      await writer('exchange.v1.from.pt').send(record);
      for (let i = 0; i < 8; i += 1) await link().send('EE', message(id(i), `t-${i}`));
      await comesAbout(() => imports.size === 8);
      const letters = await until(
        () => listener.deadLetters.list(1_000),
        (all) => all.length > before,
      );
      expect(letters.at(-1)).toMatchObject({ from: 'PT', code, bytes: record.value?.length ?? 0 });
    });

    it('is listed and replayed, and is off the list then', async () => {
      const { id, imports, accept } = store();
      let refuses = true;
      const listener = await inbox(async (from, one) => {
        if (refuses && one.id.endsWith('poison')) throw new PortolanError('exchange.envelope-invalid', 'inbox');
        await accept(from, one);
      });
      const to = link();
      await to.send('EE', message(id('poison'), 'transfer-9'));
      await to.send('EE', message(id('good'), 'transfer-9'));
      await comesAbout(() => imports.has(id('good')));
      const ours = async () => (await listener.deadLetters.list(1_000)).filter(({ messageId }) => messageId === id('poison'));
      const [letter] = await until(ours, (all) => all.length > 0);
      expect(letter).toMatchObject({ from: 'PT', code: 'exchange.envelope-invalid', messageId: id('poison') });
      expect(letter?.ref).toMatch(/^exchange\.v1\.from\.pt\/\d\/\d+$/);
      refuses = false;
      expect(await listener.deadLetters.replay(letter!.ref)).toBe(true);
      await comesAbout(() => imports.has(id('poison')));
      expect(await ours()).toEqual([]);
      expect(await listener.deadLetters.replay(letter!.ref)).toBe(false);
    });
  });

  it('changes the certificate of its door without a restart', async () => {
    await inbox(() => Promise.resolve());
    const serial = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const { authorityPem: ca, certificatePem: cert, privateKeyPem: key } = ptIdentity;
        const socket = connect({ host: '127.0.0.1', port: kafka.broker.ports.partners, ca, cert, key }, () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        });
        socket.once('error', reject);
      });
    const [{ id }, to, before, { pid }] = [store(), link(), await serial(), kafka.broker.status()];
    await to.send('EE', message(id(1)));
    const location = await kafka.broker.writeDoor(await serverIdentity(kafka.authority, 'inbox EE'));
    const admin = new KafkaInboxAdmin(clientOf(kafka.inner, kafka.broker.ports.country), TOPIC_LIMITS);
    closing.push(() => admin.close());
    await admin.reloadDoor(location);
    await until(serial, (now) => now !== before);
    await to.send('EE', message(id(2)));
    expect(kafka.broker.status().pid).toBe(pid);
    to.drop('EE');
    await to.send('EE', message(id(3)));
  });

  it('tells nothing of what messages hold, in its own log and in the broker’s', async () => {
    const canary = 'canary-7f3a';
    await inbox(() => Promise.reject(new Error(canary)));
    await link().send('EE', message(store().id(1), 't', Buffer.from(canary)));
    await comesAbout(() => kafka.log.lines.some((line) => line.startsWith('exchange.busy')));
    expect(kafka.log.lines.join('\n')).not.toContain(canary);
    expect(await readBrokerLog(join(kafka.broker.folder))).not.toContain(canary);
  });
});

/** What `ask` answers once that holds. */
async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean, ms = 20_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (performance.now() > end) throw new Error('did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
