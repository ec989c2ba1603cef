import { randomBytes } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { request } from 'node:https';
import { PortolanError } from '@portolan/contracts';
import { MESSAGE_MAX_BYTES, type PartnerKeyIsLive, type PartnerMessage } from '@portolan/domain';
import { EmbeddedInboxListener, EmbeddedPartnerLink, type InboxLimits, type PartnerEndpoint } from '@portolan/embedded-inbox';
import type { X509Authority } from '@portolan/x509';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keyPair, newAuthority, partnerIdentity as identity, serverIdentity } from '../stack/certificates.js';
import { message, partnerInboxContract, type Accept, type PartnerInboxFixture } from './partner-inbox.contract.js';

const HOST = '127.0.0.1';

/** EE's embedded inbox, which comes back on the port that it had. */
async function embeddedFixture(): Promise<PartnerInboxFixture> {
  const authority = await newAuthority('EE');
  const door = await serverIdentity(authority, 'inbox EE');
  let port = 0;
  let opened: { accept: Accept; isLive: PartnerKeyIsLive } | undefined;
  let listener: EmbeddedInboxListener | undefined;
  const open = async (accept: Accept, isLive: PartnerKeyIsLive): Promise<void> => {
    opened = { accept, isLive };
    listener = new EmbeddedInboxListener({ host: HOST, port, ...door });
    ({ port } = await listener.listen(accept, isLive));
  };
  const close = async (): Promise<void> => listener?.close();
  return {
    authority,
    listen: async (accept, isLive) => {
      await open(accept, isLive);
      return { close, drop: (country, kid) => listener?.drop(country, kid) };
    },
    link: (_country, shown, limits = { maxWaiting: 2_000 }) =>
      new EmbeddedPartnerLink({ partners: (to) => (to === 'EE' ? { host: HOST, port, ...shown() } : undefined), limits }),
    away: close,
    back: async () => {
      if (opened !== undefined) await open(opened.accept, opened.isLive);
    },
    close,
  };
}

partnerInboxContract(embeddedFixture);

let ee: X509Authority;
let door: { certificatePem: string; privateKeyPem: string };
const ptKey = keyPair();
beforeAll(async () => {
  ee = await newAuthority('EE');
  door = await serverIdentity(ee, 'inbox EE');
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Inbox {
  readonly listener: EmbeddedInboxListener;
  readonly port: number;
  readonly received: { from: string; message: PartnerMessage }[];
  readonly revoked: Set<string>;
}
/** EE's inbox; `accept` may fail. */
async function inbox(
  options: { limits?: Partial<InboxLimits>; accept?: (message: PartnerMessage) => Promise<void>; port?: number } = {},
): Promise<Inbox> {
  const { limits = {}, accept = () => Promise.resolve(), port = 0 } = options;
  const listener = new EmbeddedInboxListener({ host: '127.0.0.1', port, ...door, authorityPem: ee.certificatePem, limits });
  closing.push(() => listener.close());
  const received: Inbox['received'] = [];
  const revoked = new Set<string>();
  const address = await listener.listen(
    async (from, message) => {
      await accept(message);
      received.push({ from, message });
    },
    async (_country, kid) => !revoked.has(kid),
  );
  return { listener, port: address.port, received, revoked };
}

async function link(port: number, changes: Partial<PartnerEndpoint> = {}, limits = {}): Promise<EmbeddedPartnerLink> {
  const own = await identity(ee, 'PT', ptKey);
  const endpoint: PartnerEndpoint = { host: '127.0.0.1', port, ...own, ...changes };
  const made = new EmbeddedPartnerLink({ partners: (country) => (country === 'EE' ? endpoint : undefined), limits });
  closing.push(() => made.close());
  return made;
}
const until = async (holds: () => boolean, ms = 3000): Promise<void> => {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error('did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe('a message to a partner', () => {
  it('is said to be stored only when it is', async () => {
    const gate = Promise.withResolvers<undefined>();
    let isStored = false;
    const { received, port } = await inbox({ accept: () => gate.promise });
    const sending = (await link(port)).send('EE', message('m-1')).then(() => (isStored = true));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([isStored, received.length]).toEqual([false, 0]);
    gate.resolve(undefined);
    await sending;
    expect(received).toHaveLength(1);
  });

  it('is to be sent again where it could not be stored, and the store sees it twice', async () => {
    let fails = true;
    const ids: string[] = [];
    const { port } = await inbox({
      accept: async ({ id }) => {
        ids.push(id);
        if (fails) throw new PortolanError('keys.none-live', 'inside');
      },
    });
    const to = await link(port);
    await expect(to.send('EE', message('m-1'))).rejects.toMatchObject({
      code: 'exchange.partner-unreachable',
      retriable: true,
      detail: 'exchange.busy',
    });
    fails = false;
    await to.send('EE', message('m-1'));
    await to.send('EE', message('m-1'));
    expect(ids).toEqual(['m-1', 'm-1', 'm-1']);
  });

  it('is refused for good where the receiver says that it never fits', async () => {
    const { port } = await inbox({ accept: () => Promise.reject(new PortolanError('exchange.envelope-invalid', 'inbox')) });
    await expect((await link(port)).send('EE', message('m-1'))).rejects.toMatchObject({
      code: 'exchange.partner-refused',
      detail: 'exchange.envelope-invalid',
    });
  });

  it('goes five hundred times a second over one link', async () => {
    const { received, port } = await inbox();
    const to = await link(port, {}, { maxConnections: 1 });
    await to.send('EE', message('warm'));
    const start = performance.now();
    await Promise.all(Array.from({ length: 1000 }, (_, i) => to.send('EE', message(`m-${i}`, `t-${i}`, new Uint8Array(1000)))));
    expect(received).toHaveLength(1001);
    // Measured about 7,000 a second on two cores; the bound leaves room for a busy machine.
    expect(1000 / ((performance.now() - start) / 1000)).toBeGreaterThan(250);
  });
});

describe('a partner that is away', () => {
  it('is retriable, is left alone for a moment, and is found again when it is back', async () => {
    const { listener, port } = await inbox();
    const to = await link(port, {}, { backoffFirstMs: 50, backoffMostMs: 100 });
    await to.send('EE', message('m-1'));
    await listener.close();
    const away = { code: 'exchange.partner-unreachable', retriable: true };
    await expect(to.send('EE', message('m-2'))).rejects.toMatchObject(away);
    await expect(to.send('EE', message('m-2'))).rejects.toMatchObject({ ...away, detail: 'waiting before the next attempt' });
    const { received } = await inbox({ port });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await to.send('EE', message('m-2'));
    expect(received.map((one) => one.message.id)).toEqual(['m-2']);
  });

  it('takes with a failed message those that wait behind it', async () => {
    let count = 0;
    const { received, port } = await inbox({ accept: () => ((count += 1) === 1 ? Promise.reject(new Error('no')) : Promise.resolve()) });
    const to = await link(port);
    const results = await Promise.allSettled([1, 2, 3].map((i) => to.send('EE', message(`m-${i}`))));
    expect(results.map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(received).toEqual([]);
  });

  it('does not hold a message for ever', async () => {
    const { port } = await inbox({ accept: () => new Promise(() => undefined) });
    const to = await link(port, {}, { messageMs: 200 });
    await expect(to.send('EE', message('m-1'))).rejects.toMatchObject({ code: 'exchange.partner-unreachable' });
  });
});

describe('the door', () => {
  it('is closed to a certificate for a key that is not the one in its name', async () => {
    const { received, port } = await inbox();
    const shown = await identity(ee, 'PT', { ...keyPair(), kid: ptKey.kid });
    await expect((await link(port, shown)).send('EE', message('m'))).rejects.toMatchObject({ retriable: true });
    expect(received).toEqual([]);
  });

  it('is closed to who shows no certificate, and to TLS before 1.3', async () => {
    const { received, port } = await inbox();
    const own = await identity(ee, 'PT');
    const attempts = [
      { ca: ee.certificatePem },
      { ca: ee.certificatePem, cert: own.certificatePem, key: own.privateKeyPem, maxVersion: 'TLSv1.2' as const },
    ];
    for (const options of attempts) {
      const socket = connectTls({ host: '127.0.0.1', port, ...options });
      expect(await ended(socket, () => socket.write(rawMessage()))).not.toContain('204');
    }
    expect(received).toEqual([]);
  });

  it('cannot be posed as with a partner’s certificate', async () => {
    const own = await identity(ee, 'PT');
    const posing = new EmbeddedInboxListener({ host: '127.0.0.1', port: 0, ...own, authorityPem: ee.certificatePem });
    closing.push(() => posing.close());
    const { port } = await posing.listen(
      () => Promise.resolve(),
      () => Promise.resolve(true),
    );
    await expect((await link(port)).send('EE', message('m'))).rejects.toMatchObject({ code: 'exchange.partner-refused' });
  });

  it('asks for the certificate anew each time: no session is resumed', async () => {
    const { port } = await inbox();
    const own = await identity(ee, 'PT');
    const options = { host: '127.0.0.1', port, ca: ee.certificatePem, cert: own.certificatePem, key: own.privateKeyPem };
    const first = connectTls(options);
    const sessions: Buffer[] = [];
    first.on('session', (session) => sessions.push(session));
    await ended(first, () => first.write(rawMessage().replace('host: x', 'host: x\r\nconnection: close')));
    for (const session of sessions) {
      const second = connectTls({ ...options, session });
      await new Promise((resolve) => second.once('secureConnect', resolve));
      expect(second.isSessionReused()).toBe(false);
      second.destroy();
    }
    expect(sessions.length).toBeGreaterThan(0);
  });

  it('names the country by the certificate, whatever the message says', async () => {
    const { received, port } = await inbox();
    const de = await identity(ee, 'DE');
    const headers = { 'portolan-message-id': 'PT', 'portolan-message-key': 't', from: 'PT', 'portolan-country': 'PT' };
    const status = await post(port, de, { headers, body: '{"from":"PT"}' });
    expect([status, received.map((one) => one.from)]).toEqual([204, ['DE']]);
  });
});

describe('a revoked key', () => {
  it('is refused within a second on a connection that lives', async () => {
    const { received, revoked, port } = await inbox();
    const to = await link(port);
    await to.send('EE', message('m-1'));
    revoked.add(ptKey.kid);
    const start = performance.now();
    let refused: unknown;
    for (let i = 0; refused === undefined && i < 400; i += 1) {
      await to.send('EE', message(`m-${i}`)).catch((error: unknown) => (refused = error));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(performance.now() - start).toBeLessThan(1000);
    expect(refused).toMatchObject({ code: 'exchange.partner-refused', detail: 'exchange.certificate-refused' });
    const before = received.length;
    await expect(to.send('EE', message('later'))).rejects.toThrow();
    expect(received).toHaveLength(before);
  });

  it('loses its open connections at once when it is dropped, and others do not', async () => {
    const { listener, revoked, port } = await inbox();
    const other = await identity(ee, 'DE');
    const own = await identity(ee, 'PT', ptKey);
    const [dropped, kept] = await Promise.all([tls(port, own), tls(port, other)]);
    const gone = ended(dropped);
    revoked.add(ptKey.kid);
    listener.drop('PT', ptKey.kid);
    await gone;
    expect([dropped.destroyed, kept.destroyed]).toEqual([true, false]);
    const again = connectTls({ host: '127.0.0.1', port, ca: ee.certificatePem, cert: own.certificatePem, key: own.privateKeyPem });
    expect(await ended(again, () => again.write(rawMessage()))).not.toContain('204');
    kept.destroy();
  });

  it('lets nothing in that was begun before', async () => {
    const { received, revoked, port } = await inbox({ limits: { rememberMs: 20 } });
    const own = await identity(ee, 'PT', ptKey);
    const socket = await tls(port, own);
    const end = ended(socket);
    socket.write(`${head(10)}12345`);
    await new Promise((resolve) => setTimeout(resolve, 60));
    revoked.add(ptKey.kid);
    socket.write('67890');
    expect(await end).toContain('exchange.certificate-refused');
    expect(received).toEqual([]);
  });

  it('counts as not live to be told while the registry cannot be read: to be tried again', async () => {
    const listener = new EmbeddedInboxListener({ host: '127.0.0.1', port: 0, ...door, authorityPem: ee.certificatePem });
    closing.push(() => listener.close());
    const { port } = await listener.listen(
      () => Promise.resolve(),
      () => Promise.reject(new Error('away')),
    );
    await expect((await link(port)).send('EE', message('m'))).rejects.toMatchObject({ code: 'exchange.partner-unreachable' });
  });
});

describe('a partner that misbehaves', () => {
  it.each([
    ['another path', { path: '/exchange/v1/other' }, 400],
    ['another method', { method: 'PUT' }, 400],
    ['no id', { headers: { 'portolan-message-key': 't' } }, 400],
    ['a long id', { headers: { 'portolan-message-id': 'x'.repeat(201), 'portolan-message-key': 't' } }, 400],
  ])('is refused with %s', async (_what, options, status) => {
    const { received, port } = await inbox();
    expect(await post(port, await identity(ee, 'PT'), { body: 'x', ...options })).toBe(status);
    expect(received).toEqual([]);
  });

  it('is cut off where its message is too large, whether it says so or not', async () => {
    const { received, port } = await inbox();
    const own = await identity(ee, 'PT');
    const declared = await tls(port, own);
    expect(await ended(declared, () => declared.write(head(MESSAGE_MAX_BYTES + 1)))).toContain('413');
    const undeclared = await tls(port, own);
    const end = ended(undeclared);
    undeclared.write(head(undefined));
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    for (let i = 0; i < 60 && !undeclared.destroyed; i += 1) undeclared.write(chunk);
    expect(await end).not.toContain('204');
    expect(received).toEqual([]);
  });

  it('gets nowhere with garbage, before and after its handshake', async () => {
    const { received, port } = await inbox();
    const own = await identity(ee, 'PT');
    for (const garbage of ['\0\0\0\0', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\xff\xff', randomBytes(5000).toString('binary')]) {
      const plain = connectTcp(port, '127.0.0.1');
      await ended(plain, () => plain.end(garbage, 'binary'));
      const inside = await tls(port, own);
      await ended(inside, () => inside.end(garbage, 'binary'));
    }
    expect(received).toEqual([]);
    await (await link(port)).send('EE', message('still-open'));
    expect(received).toHaveLength(1);
  });

  it('is cut off where it pipelines', async () => {
    const gate = Promise.withResolvers<undefined>();
    const { received, port } = await inbox({ accept: () => gate.promise });
    const socket = await tls(port, await identity(ee, 'PT'));
    const end = ended(socket);
    socket.write(rawMessage() + rawMessage());
    await end;
    gate.resolve(undefined);
    await until(() => received.length === 1);
  });

  it('does not hold the door open by being slow: handshake, headers, body, silence', async () => {
    const { received, port } = await inbox({ limits: { openingMs: 200, messageMs: 300, idleMs: 200 } });
    const own = await identity(ee, 'PT');
    const start = performance.now();
    const silent = connectTcp(port, '127.0.0.1');
    const [handshaken, headers, body, idle] = await Promise.all([tls(port, own), tls(port, own), tls(port, own), tls(port, own)]);
    const ends = [silent, handshaken, headers, body, idle].map((socket) => ended(socket));
    headers.write('POST /exchange/v1/messages HTTP/1.1\r\nhost: x\r\n');
    body.write(`${head(1000)}a`);
    idle.write(rawMessage());
    const dripping = setInterval(() => {
      headers.write('x-a: b\r\n');
      body.write('a');
    }, 40);
    await Promise.all(ends);
    clearInterval(dripping);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(received).toHaveLength(1);
  });

  it('holds no more connections than it may, and takes none from the others', async () => {
    const { received, port } = await inbox({ limits: { maxConnectionsPerPartner: 2 } });
    const own = await identity(ee, 'PT');
    const held = await Promise.all([tls(port, own), tls(port, own)]);
    const third = connectTls({ host: '127.0.0.1', port, ca: ee.certificatePem, cert: own.certificatePem, key: own.privateKeyPem });
    expect(await ended(third, () => third.write(rawMessage()))).not.toContain('204');
    expect(await post(port, await identity(ee, 'DE'), { body: 'x' })).toBe(204);
    expect(received.map((one) => one.from)).toEqual(['DE']);
    for (const socket of held) socket.destroy();
  });
});

/** Request head for a body of so many bytes; chunked where that is not said. */
function head(bytes: number | undefined): string {
  const length = bytes === undefined ? 'transfer-encoding: chunked' : `content-length: ${bytes}`;
  return `POST /exchange/v1/messages HTTP/1.1\r\nhost: x\r\nportolan-message-id: m\r\nportolan-message-key: t\r\n${length}\r\n\r\n`;
}
const rawMessage = (): string => `${head(4)}body`;

/** A connection whose handshake is through on our side. */
async function tls(port: number, own: { certificatePem: string; privateKeyPem: string }): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: ee.certificatePem, cert: own.certificatePem, key: own.privateKeyPem });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', () => resolve());
    socket.once('error', reject);
  });
  return socket;
}

/** All that is heard until the other side ends the connection. */
async function ended(socket: Socket, act: () => unknown = () => undefined): Promise<string> {
  let heard = '';
  socket.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  act();
  await closed;
  return heard;
}

async function post(
  port: number,
  own: { certificatePem: string; privateKeyPem: string },
  options: { path?: string; method?: string; headers?: Record<string, string>; body: string },
): Promise<number> {
  const {
    path = '/exchange/v1/messages',
    method = 'POST',
    headers = { 'portolan-message-id': 'm', 'portolan-message-key': 't' },
    body,
  } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers,
        ca: ee.certificatePem,
        cert: own.certificatePem,
        key: own.privateKeyPem,
        agent: false,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
