import { randomBytes } from 'node:crypto';
import { PortolanError, type CountryCode, type Kid } from '@portolan/contracts';
import { MESSAGE_MAX_BYTES, type InboxListener, type PartnerKeyIsLive, type PartnerLink, type PartnerMessage } from '@portolan/domain';
import type { TlsIdentity } from '@portolan/keys';
import { X509Authorities, type X509Authority } from '@portolan/x509';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { days, keyPair, newAuthority, partnerIdentity, serverIdentity, type KeyPair } from '../stack/certificates.js';

export type Accept = (from: CountryCode, message: PartnerMessage) => Promise<void>;

/** EE's inbox and links to it, by one pair of adapters. */
export interface PartnerInboxFixture {
  /** The authority of EE's door. */
  readonly authority: X509Authority;
  /** Begins to listen; `admitted` are the keys that EE issued certificates for. */
  listen(accept: Accept, isLive: PartnerKeyIsLive, admitted: readonly Admitted[]): Promise<Pick<InboxListener, 'drop' | 'close'>>;
  /** A partner's link to EE, showing what `identity` gives at each message. `EE` is the only partner it knows. */
  link(country: CountryCode, identity: () => TlsIdentity, limits?: { readonly maxWaiting: number }): PartnerLink;
  /** EE cannot be reached, and is there again with what it held. */
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}

export interface Admitted {
  readonly country: CountryCode;
  readonly kid: Kid;
}

interface Received {
  readonly from: CountryCode;
  readonly message: PartnerMessage;
}

/** Waits for something that comes about by itself. */
export async function comesAbout(holds: () => boolean, ms = 30_000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error('did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const noBody = new TextEncoder().encode('sealed');
export const message = (id: string, key = 'transfer-1', body: Uint8Array = noBody): PartnerMessage => ({ id, key, body });

/** Sends until it is stored, as a courier does. */
export async function deliver(link: PartnerLink, one: PartnerMessage, within = 60_000): Promise<void> {
  const end = performance.now() + within;
  for (;;) {
    try {
      await link.send('EE', one);
      return;
    } catch (error) {
      if (!(error instanceof PortolanError && error.retriable) || performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

type Shown = () => TlsIdentity;

/** One fixture, and what each test opens on it and closes again. */
class Room {
  readonly pt = keyPair();
  readonly de = keyPair();
  private opened: { fixture: PartnerInboxFixture; pt: TlsIdentity; de: TlsIdentity } | undefined;
  private readonly closing: (() => Promise<void>)[] = [];
  private round = 0;

  async open(make: () => Promise<PartnerInboxFixture>): Promise<void> {
    const fixture = await make();
    const [pt, de] = [await partnerIdentity(fixture.authority, 'PT', this.pt), await partnerIdentity(fixture.authority, 'DE', this.de)];
    this.opened = { fixture, pt, de };
  }

  async closeTest(): Promise<void> {
    for (const close of this.closing.splice(0).reverse()) await close();
  }

  async close(): Promise<void> {
    await this.opened?.fixture.close();
  }

  get the(): { fixture: PartnerInboxFixture; pt: TlsIdentity; de: TlsIdentity } {
    if (this.opened === undefined) throw new Error('the fixture was not opened');
    return this.opened;
  }

  /** EE's inbox; `received` holds what this test sent, each message once, in the order it came. */
  async inbox(options: { accept?: Accept; isLive?: PartnerKeyIsLive; more?: Admitted[] } = {}): Promise<OpenInbox> {
    const { accept = () => Promise.resolve(), isLive = () => Promise.resolve(true), more = [] } = options;
    const prefix = `r${(this.round += 1)}-`;
    const received: Received[] = [];
    const known = new Set<string>();
    const take: Accept = async (from, one) => {
      if (!one.id.startsWith(prefix)) return;
      const body = new Uint8Array(one.body);
      await accept(from, one);
      if (!known.has(one.id)) received.push({ from, message: { ...one, body } });
      known.add(one.id);
    };
    const admitted = [{ country: 'PT', kid: this.pt.kid }, { country: 'DE', kid: this.de.kid }, ...more];
    const listener = await this.the.fixture.listen(take, isLive, admitted);
    this.closing.push(() => listener.close());
    return { listener, received, id: (name) => `${prefix}${name}` };
  }

  link(country: CountryCode, shown: Shown, limits?: { maxWaiting: number }): PartnerLink {
    const made = this.the.fixture.link(country, shown, limits);
    this.closing.push(() => made.close());
    return made;
  }

  fromPt(limits?: { maxWaiting: number }): PartnerLink {
    return this.link('PT', () => this.the.pt, limits);
  }
}

interface OpenInbox {
  readonly listener: Pick<InboxListener, 'drop' | 'close'>;
  readonly received: readonly Received[];
  /** Ids of this test. */
  readonly id: (name: string | number) => string;
}

/** What holds of `PartnerLink` and `InboxListener`, whatever stands between them. */
export function partnerInboxContract(make: () => Promise<PartnerInboxFixture>): void {
  const room = new Room();
  beforeAll(() => room.open(make));
  afterEach(() => room.closeTest());
  afterAll(() => room.close());
  describe('a message to a partner', () => {
    delivery(room);
    refusals(room);
  });
  describe('a partner that is away', () => away(room));
  describe('the door', () => door(room));
  describe('keys of a partner', () => keys(room));
}

function delivery(room: Room): void {
  it('arrives as it is, from the country of the certificate', async () => {
    const { received, id } = await room.inbox();
    const sent = [
      message(id(1)),
      message(id(2), 'transfer-2', new Uint8Array()),
      message(id(3), 'transfer-2', randomBytes(2_000_000)),
      message(id(4), 'transfer-2', randomBytes(MESSAGE_MAX_BYTES)),
    ];
    const [to, other] = [room.fromPt(), room.link('DE', () => room.the.de)];
    for (const one of sent) await to.send('EE', one);
    await other.send('EE', message(id('de')));
    await comesAbout(() => received.length === 5);
    for (const one of sent) {
      const came = received.find((each) => each.message.id === one.id);
      expect([came?.from, came?.message.key]).toEqual(['PT', one.key]);
      expect(Buffer.compare(came?.message.body ?? new Uint8Array(1), one.body)).toBe(0);
    }
    expect(received.find((each) => each.message.id === id('de'))?.from).toBe('DE');
  });

  it('is stored in the end where it could not be stored at first, and may come more than once', async () => {
    let refusals = 3;
    const seen: string[] = [];
    const { received, id } = await room.inbox({
      accept: async (_from, { id: one }) => {
        seen.push(one);
        if ((refusals -= 1) >= 0) throw new PortolanError('keys.none-live', 'inside');
      },
    });
    await deliver(room.fromPt(), message(id(1)));
    await comesAbout(() => received.length === 1);
    expect(seen).toEqual([id(1), id(1), id(1), id(1)]);
  });

  it('keeps its place among those of its key, and many keys go side by side', async () => {
    let [running, most] = [0, 0];
    const { received, id } = await room.inbox({
      accept: async () => {
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
        running -= 1;
      },
    });
    const to = room.fromPt();
    await Promise.all(Array.from({ length: 200 }, (_, i) => to.send('EE', message(id(i), `t-${i % 10}`))));
    await comesAbout(() => received.length === 200);
    for (let key = 0; key < 10; key += 1) {
      const numbers = received.filter((one) => one.message.key === `t-${key}`).map((one) => Number(one.message.id.split('-')[1]));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
    expect(most).toBeGreaterThan(1);
  });
}

function refusals(room: Room): void {
  it.each([
    ['an unknown partner', 'FR', message('m'), 'exchange.partner-unknown'],
    ['too large a body', 'EE', message('m', 't', new Uint8Array(MESSAGE_MAX_BYTES + 1)), 'exchange.message-too-large'],
    ['an id that would break a header', 'EE', message('m\r\nx: y'), 'exchange.message-malformed'],
    ['a key of nothing', 'EE', message('m', ''), 'exchange.message-malformed'],
  ])('is not sent with %s', async (_what, to, one, code) => {
    await expect(room.fromPt().send(to, one)).rejects.toMatchObject({ code });
  });

  it('is not taken beyond the bound: a link floods nobody', async () => {
    const { received, id } = await room.inbox();
    const to = room.fromPt({ maxWaiting: 10 });
    const sending = Promise.allSettled(Array.from({ length: 15 }, (_, i) => to.send('EE', message(id(i), `t-${i}`))));
    const refused = (await sending).filter((one) => one.status === 'rejected');
    expect(refused).toHaveLength(5);
    expect(refused[0]?.reason).toMatchObject({ code: 'exchange.partner-unreachable', retriable: true });
    await comesAbout(() => received.length === 10);
  });
}

function away(room: Room): void {
  it('is retriable, and is found again with everything when it is back', async () => {
    const { received, id } = await room.inbox();
    const to = room.fromPt();
    await to.send('EE', message(id(1)));
    await room.the.fixture.away();
    await expect(to.send('EE', message(id(2)))).rejects.toMatchObject({ code: 'exchange.partner-unreachable', retriable: true });
    await room.the.fixture.back();
    await deliver(to, message(id(2)));
    await deliver(to, message(id(3)));
    await comesAbout(() => received.length === 3);
    expect(received.map((one) => one.message.id)).toEqual([id(1), id(2), id(3)]);
  });
}

function door(room: Room): void {
  const selfSigned = async (): Promise<TlsIdentity> => ({
    ...(await new X509Authorities().create({ country: undefined, commonName: `PT-${room.pt.kid}` }, days(-1, 30))),
    authorityPem: room.the.fixture.authority.certificatePem,
  });
  it.each<[string, () => Promise<TlsIdentity>]>([
    ['issued by the partner’s own authority', async () => partnerIdentity(await newAuthority('PT'), 'PT', room.pt)],
    ['issued by another authority of our name', async () => partnerIdentity(await newAuthority('EE'), 'PT', room.pt)],
    ['that has ended', () => partnerIdentity(room.the.fixture.authority, 'PT', room.pt, days(-20, -1))],
    ['that is not valid yet', () => partnerIdentity(room.the.fixture.authority, 'PT', room.pt, days(1, 20))],
    ['that signed itself', selfSigned],
    ['of one of our servers', () => serverIdentity(room.the.fixture.authority, 'another')],
    ['of a regulator: it has no inbox', () => partnerIdentity(room.the.fixture.authority, 'REG')],
  ])('is closed to a certificate %s', async (_what, make) => {
    const { received, id } = await room.inbox();
    const shown = { ...(await make()), authorityPem: room.the.fixture.authority.certificatePem };
    await expect(room.link('PT', () => shown).send('EE', message(id(1)))).rejects.toMatchObject({ retriable: true });
    await room.fromPt().send('EE', message(id(2)));
    await comesAbout(() => received.length > 0);
    expect(received.map((one) => one.message.id)).toEqual([id(2)]);
  });

  it('is only walked through where it is the partner’s: a server of another authority is not spoken to', async () => {
    const { received, id } = await room.inbox();
    const astray = { ...room.the.pt, authorityPem: (await newAuthority('EE')).certificatePem };
    const refused = { code: 'exchange.partner-refused', retriable: true };
    await expect(room.link('PT', () => astray).send('EE', message(id(1)))).rejects.toMatchObject(refused);
    expect(received).toEqual([]);
  });
}

function keys(room: Room): void {
  const withKey = async (): Promise<{ key: KeyPair; identity: TlsIdentity; admitted: Admitted }> => {
    const key = keyPair();
    return { key, identity: await partnerIdentity(room.the.fixture.authority, 'PT', key), admitted: { country: 'PT', kid: key.kid } };
  };

  it('end: a dropped one brings nothing in any more within two seconds, and others go on', async () => {
    const ended = await withKey();
    const revoked = new Set<string>();
    const isLive: PartnerKeyIsLive = async (_country, kid) => !revoked.has(kid);
    const { listener, received, id } = await room.inbox({ isLive, more: [ended.admitted] });
    const [to, other] = [room.link('PT', () => ended.identity), room.fromPt()];
    await to.send('EE', message(id('before')));
    revoked.add(ended.key.kid);
    listener.drop('PT', ended.key.kid);
    const start = performance.now();
    let refusal: unknown;
    for (let i = 0; refusal === undefined && performance.now() - start < 5_000; i += 1)
      await to.send('EE', message(id(`meanwhile-${i}`))).catch((error: unknown) => (refusal = error));
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(refusal).toBeInstanceOf(PortolanError);
    for (let i = 0; i < 10; i += 1) await to.send('EE', message(id(`after-${i}`))).catch(() => undefined);
    await deliver(other, message(id('other')));
    await comesAbout(() => received.some((one) => one.message.id === id('other')));
    expect(received.filter((one) => one.message.id.startsWith(id('after')))).toEqual([]);
  });

  it('overlap: one is changed for another without a restart and without a lost message', async () => {
    const next = await withKey();
    const { received, id } = await room.inbox({ more: [next.admitted] });
    let shown = room.the.pt;
    const to = room.link('PT', () => shown);
    const sending: Promise<void>[] = [];
    for (let i = 0; i < 300; i += 1) {
      sending.push(deliver(to, message(id(i), `t-${i % 7}`)));
      if (i === 100) shown = next.identity;
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(sending);
    await comesAbout(() => received.length === 300);
  });
}
