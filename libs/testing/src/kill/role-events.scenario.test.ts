import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { Role } from '@portolan/domain';
import { KafkaClient, kafkaReason, roleGroup, roleTopic, TopicWriter, WRITER_LIMITS, type KafkaClientConfig } from '@portolan/kafka';
import { CountryFolders, readTlsIdentity } from '@portolan/keys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kafkaAbsent } from '../contract/kafka-fixture.js';
import { KillWorld } from './kill-world.js';

const absent = await kafkaAbsent();
const inCi = process.env['CI'] === 'true';
let kill: KillWorld;

/** How a role of EE reaches its country's broker. */
async function clientOf(role: Role): Promise<KafkaClientConfig> {
  const { home } = kill.world.country('EE').config;
  const identity = await readTlsIdentity(new CountryFolders(home).internal(role));
  const brokers = [{ host: '127.0.0.1', port: kill.world.broker('EE').ports.country }];
  return { clientId: 'test', brokers, identity, log: { failure: () => undefined }, code: 'link.unreachable' };
}

async function write(us: Role, topic: string): Promise<string> {
  const writer = new TopicWriter(topic, await clientOf(us), { ...WRITER_LIMITS, batchMs: 8_000 });
  try {
    await writer.send({ key: 'k', value: Buffer.from('"no event"'), headers: {} });
    return 'written';
  } catch (error) {
    return kafkaReason(error);
  } finally {
    writer.destroy();
  }
}

async function read(us: Role, topic: string, groupId: string): Promise<string> {
  const client = new KafkaClient(await clientOf(us));
  const consumer = client.kafka.consumer({ groupId, retry: { retries: 0 } });
  const joined = new Promise<string>((resolve) => consumer.on('consumer.group_join', () => resolve('read')));
  const crashed = new Promise<string>((resolve) => consumer.on('consumer.crash', ({ payload }) => resolve(kafkaReason(payload.error))));
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ eachMessage: () => Promise.resolve() });
    return await Promise.race([joined, crashed]);
  } catch (error) {
    return kafkaReason(error);
  } finally {
    await consumer.disconnect().catch(() => undefined);
    client.destroy();
  }
}

describe.skipIf(absent !== undefined && !inCi)(
  `roles apart that tell each other by Kafka${absent === undefined ? '' : ` (skipped: ${absent})`}`,
  () => {
    beforeAll(async () => {
      kill = await KillWorld.start((line) => void process.stderr.write(`${line}\n`), undefined, { eventsByKafka: true });
      await kill.prepare();
    }, 480_000);
    afterAll(() => kill.stop());

    const ask = (): Promise<unknown>[] =>
      (['EE', 'PT'] as const).flatMap((asker) => [
        kill.clinician(asker).record(kill.handle(asker), ['summary']),
        kill.clinician(asker).record(kill.handle(asker), ['summary']),
      ]);
    const whole = async (asked: readonly Promise<unknown>[]): Promise<void> => {
      expect(await Promise.all(asked)).toEqual(asked.map(() => 'released'));
      expect(await kill.check()).toEqual([]);
    };

    it('take records across the border', async () => {
      await whole(ask());
    });

    it.each(['edge', 'exchange', 'notary'] as const)('lose nothing and do nothing twice where the %s is killed meanwhile', async (role) => {
      const asked = ask();
      await pause(400);
      await kill.process('EE', role).stop('SIGKILL');
      await pause(500);
      await kill.process('EE', role).start();
      await whole(asked);
    });

    it('wait for a broker that was killed, and go on when it is back', async () => {
      const asked = ask();
      await pause(300);
      await kill.world.broker('EE').kill();
      await pause(3_000);
      await kill.world.broker('EE').start();
      await whole(asked);
    });

    it.each([
      ['edge', 'its own topic', roleTopic('edge', 'notary'), 'written'],
      ['edge', 'the topic of another role', roleTopic('exchange', 'notary'), 'TOPIC_AUTHORIZATION_FAILED'],
      ['edge', 'a topic that it may read', roleTopic('exchange', 'edge'), 'TOPIC_AUTHORIZATION_FAILED'],
      ['notary', 'the topic of another role', roleTopic('edge', 'exchange'), 'TOPIC_AUTHORIZATION_FAILED'],
      ['notary', 'a partner’s topic', 'exchange.v1.from.pt', 'TOPIC_AUTHORIZATION_FAILED'],
    ] as const)('the %s that writes %s: %s is %s', async (role, _what, topic, verdict) => {
      expect(await write(role, topic)).toContain(verdict);
    });

    it.each([
      ['edge', 'its own topic', roleTopic('exchange', 'edge'), roleGroup('edge'), 'read'],
      ['edge', 'a topic of others', roleTopic('notary', 'exchange'), roleGroup('edge'), 'TOPIC_AUTHORIZATION_FAILED'],
      // kafkajs keeps the group's refusal to itself and says that it found no coordinator; the same role finds its own group's.
      ['edge', 'its own topic as another role', roleTopic('exchange', 'edge'), roleGroup('notary'), 'KafkaJSGroupCoordinatorNotFound'],
    ] as const)('the %s that reads %s (%s of %s) is answered: %s', async (role, _what, topic, groupId, verdict) => {
      expect(await read(role, topic, groupId)).toBe(verdict);
    });

    it('no role’s certificate opens the door for partners', async () => {
      const { privateKeyPem: key, certificatePem: cert } = (await clientOf('edge')).identity;
      const port = kill.world.broker('EE').ports.partners;
      const socket = connect({ host: '127.0.0.1', port, key, cert, rejectUnauthorized: false });
      socket.on('secureConnect', () => socket.write(Buffer.from('0000000a0012000000000001ffff', 'hex')));
      const first = await Promise.race([once(socket, 'data').then(() => 'answered'), once(socket, 'close').then(() => 'closed')]).catch(
        () => 'closed',
      );
      socket.destroy();
      expect(first).toBe('closed');
    });
  },
);
