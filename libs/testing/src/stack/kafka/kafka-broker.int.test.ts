import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import type { TlsIdentity } from '@portolan/keys';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { days, keyPair, newAuthority, partnerIdentity, serverIdentity } from '../certificates.js';
import { startOf } from '../own-process.js';
import { kafkaEngine, type KafkaEngine } from './engine.js';
import { KafkaBroker, type KafkaBrokerConfig } from './kafka-broker.js';

const engine = await kafkaEngine();
const absent = 'absent' in engine ? engine.absent : undefined;
const inCi = process.env['CI'] === 'true';

describe.skipIf(absent !== undefined && !inCi)(`a country’s broker${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  let root: string;
  let door: Awaited<ReturnType<typeof newAuthority>>;
  let config: KafkaBrokerConfig;
  let broker: KafkaBroker;
  beforeAll(async () => {
    if (absent !== undefined) throw new Error(absent);
    root = await mkdtemp(join(tmpdir(), 'portolan-kafka-'));
    door = await newAuthority('EE');
    const inner = await newAuthority('EE', 'EE internal');
    config = {
      folder: join(root, 'ee'),
      engine: engine as KafkaEngine,
      partners: await serverIdentity(door, 'inbox EE'),
      country: await serverIdentity(inner, 'broker EE', ['broker']),
      endsWithUs: true,
    };
    broker = new KafkaBroker(config);
    await broker.start();
  });
  afterAll(async () => {
    await broker.stop();
    await rm(root, { recursive: true, force: true });
  });
  const others: KafkaBroker[] = [];
  afterEach(async () => {
    for (const other of others.splice(0)) await other.stop();
  });

  it('lets in at the partners’ door whom its authority let in, and speaks TLS 1.3 alone', async () => {
    const own = await partnerIdentity(door, 'PT');
    expect(await knock(broker.ports.partners, own)).toBe('open');
    expect(await knock(broker.ports.partners, own, { maxVersion: 'TLSv1.2' })).toBe('closed');
    expect(await knock(broker.ports.partners, { authorityPem: door.certificatePem })).toBe('closed');
  });

  it.each<[string, () => Promise<TlsIdentity>]>([
    ['issued by the partner’s own authority', async () => partnerIdentity(await newAuthority('PT'), 'PT')],
    ['issued by another authority of our name', async () => partnerIdentity(await newAuthority('EE'), 'PT')],
    ['that has ended', () => partnerIdentity(door, 'PT', keyPair(), days(-20, -1))],
    ['of one of our servers', () => serverIdentity(door, 'another')],
    ['that bears a name of the country’s own services', () => serverIdentity(door, 'exchange EE')],
    ['of a regulator: it has no inbox', () => partnerIdentity(door, 'REG')],
    ['of the listener within the country', async () => config.country],
  ])('has its partners’ door closed to a certificate %s', async (_what, make) => {
    expect(await knock(broker.ports.partners, { ...(await make()), authorityPem: door.certificatePem })).toBe('closed');
  });

  it('has the listener within the country closed to partners', async () => {
    const own = await partnerIdentity(door, 'PT');
    expect(await knock(broker.ports.country, { ...own, authorityPem: config.country.authorityPem })).toBe('closed');
    expect(await knock(broker.ports.country, config.country)).toBe('open');
  });

  it('is taken up where it runs: by whom it outlived, in another process too', async () => {
    const { pid } = broker.status();
    const again = new KafkaBroker(config);
    expect(await again.start()).toEqual(broker.ports);
    expect(again.status().pid).toBe(pid);
  });

  it('is replaced where it runs with other settings, on the ports it had', async () => {
    const { pid, ports } = broker.status();
    const renewed = new KafkaBroker({ ...config, partners: await serverIdentity(door, 'inbox EE') });
    expect(await renewed.start()).toEqual(ports);
    expect(renewed.status().pid).not.toBe(pid);
    await broker.start();
  });

  it('stands up again after SIGKILL, and says in between that it does not run', async () => {
    const { ports } = broker;
    await broker.kill();
    expect(broker.status()).toEqual({ running: false, ports });
    expect(await knock(ports.partners, await partnerIdentity(door, 'PT'))).toBe('closed');
    expect(await broker.start()).toEqual(ports);
    expect(await knock(ports.partners, await partnerIdentity(door, 'PT'))).toBe('open');
  });

  it('never ends a foreign process that was given its number', async () => {
    const folder = join(root, 'foreign');
    const other = new KafkaBroker({ ...config, folder });
    await other.start();
    const { ports } = other;
    await other.kill();
    const foreign = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
    try {
      const note = JSON.parse(await readFile(join(folder, 'broker.json'), 'utf8')) as { process: { started: string } };
      await writeFile(join(folder, 'broker.json'), JSON.stringify({ ...note, process: { ...note.process, pid: foreign.pid } }));
      others.push(other);
      expect(await other.start()).toEqual(ports);
      expect(startOf(foreign.pid!)).toBeDefined();
    } finally {
      foreign.kill();
    }
  });

  it('takes other ports where somebody else listens on the ones it had', async () => {
    const other = new KafkaBroker({ ...config, folder: join(root, 'ports') });
    others.push(other);
    const before = await other.start();
    await other.stop();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(before.partners, '127.0.0.1', resolve));
    try {
      expect((await other.start()).partners).not.toBe(before.partners);
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
    }
  });

  it('says with its log’s last lines why it did not start', async () => {
    const folder = join(root, 'broken');
    const other = new KafkaBroker({ ...config, folder, country: { ...config.country, privateKeyPem: keyPair().privateKeyPem } });
    others.push(other);
    await expect(other.start()).rejects.toThrow(/ended while it started; its log ends with:\n[^]*(?:Exception|ERROR)/);
    expect(other.status()).toMatchObject({ running: false });
  });
});

/** Kafka's ApiVersions request, version 0: the one that a broker answers to whomever it let in. */
const HELLO = Buffer.from('0000000a0012000000000001ffff', 'hex');

/** Whether a broker answers: TLS 1.3 tells a client that it was refused only after its own end of the handshake. */
function knock(port: number, identity: Partial<TlsIdentity>, options: ConnectionOptions = {}): Promise<'open' | 'closed'> {
  const { authorityPem: ca, certificatePem: cert, privateKeyPem: key } = identity;
  const socket = connect({ host: '127.0.0.1', port, ca, cert, key, ...options });
  socket.once('secureConnect', () => socket.write(HELLO));
  return new Promise((resolve) => {
    const settle = (answer: 'open' | 'closed'): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', () => settle('open'));
    socket.once('error', () => settle('closed'));
    socket.once('close', () => settle('closed'));
  });
}
