import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { PortolanError, type CountryCode } from '@portolan/contracts';
import { PartnerLink, type ExchangeTx, type PartnerMessage } from '@portolan/domain';
import { openExchangeDatabase, testCluster, type RoleDatabase } from '@portolan/postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NodeLogger } from '../runtime/logger.js';
import { Courier, COURIER_LIMITS, type CourierLimits } from './courier.js';
import { AlteredWork } from '../runtime/altered-work.fixture.js';

const past = '2020-01-01T00:00:00.000Z';

/** A partner's inbox that answers when it is told to. */
class HeldLink extends PartnerLink {
  readonly sent: { readonly to: CountryCode; readonly id: string }[] = [];
  private waiting: (() => void)[] = [];

  constructor(
    private readonly held: ReadonlySet<CountryCode>,
    private readonly failing: Set<CountryCode> = new Set(),
  ) {
    super();
  }

  override async send(to: CountryCode, { id }: PartnerMessage): Promise<void> {
    this.sent.push({ to, id });
    if (this.failing.has(to)) throw new PortolanError('exchange.partner-unreachable', to);
    if (this.held.has(to)) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Answers all that wait, at once. */
  answer(): void {
    for (const one of this.waiting.splice(0)) one();
  }

  idsTo(country: CountryCode): string[] {
    return this.sent.filter(({ to }) => to === country).map(({ id }) => id);
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

describe('the courier', () => {
  let db: RoleDatabase<ExchangeTx>;
  const couriers: Courier[] = [];
  const links: HeldLink[] = [];
  const complaints: string[] = [];
  beforeAll(async () => {
    const { exchange } = await (await testCluster()).country('DE');
    const noKeys = { wrap: () => Promise.reject(new Error('unused')), unwrap: () => Promise.reject(new Error('unused')) };
    db = await openExchangeDatabase({ address: exchange }, noKeys as never);
  });
  afterEach(async () => {
    for (const link of links.splice(0)) link.answer();
    for (const courier of couriers.splice(0)) await courier.stop();
    complaints.length = 0;
  });
  afterAll(() => db.close());

  async function add(count: number, to: CountryCode, key?: string): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    await db.uow.run(async ({ outgoing }) => {
      for (const id of ids) await outgoing.add({ id, to, key: key ?? id, body: new Uint8Array(100), notBefore: past });
    });
    return ids;
  }
  function start(link: HeldLink, limits: Partial<CourierLimits> = {}, takeOverAfterMs = 20_000): { marks: number[]; courier: Courier } {
    const marks: number[] = [];
    const { uow } = db;
    const watched = new AlteredWork(<T>(work: (tx: ExchangeTx) => Promise<T>): Promise<T> =>
      uow.run((tx) => {
        const sent = (ids: readonly string[]): Promise<void> => {
          marks.push(ids.length);
          return tx.outgoing.sent(ids);
        };
        return work({ ...tx, outgoing: Object.assign(Object.create(tx.outgoing) as ExchangeTx['outgoing'], { sent }) });
      }),
    );
    const logger = { failure: (message: string) => void complaints.push(message) } as unknown as NodeLogger;
    const courier = new Courier(watched, link, logger, db.wakeups, takeOverAfterMs, { ...COURIER_LIMITS, ...limits });
    couriers.push(courier);
    links.push(link);
    courier.start();
    return { marks, courier };
  }
  async function until(holds: () => boolean, ms = 10_000): Promise<void> {
    const end = performance.now() + ms;
    while (!holds()) {
      if (performance.now() > end) throw new Error('did not come about in time');
      await pause(5);
    }
  }

  it('marks many at once: what one answer settles is one statement', async () => {
    const ids = await add(60, 'EE');
    const link = new HeldLink(new Set(['EE']));
    const { marks } = start(link);
    await until(() => link.sent.length === 60);
    link.answer();
    await until(() => marks.reduce((sum, one) => sum + one, 0) === 60);
    expect(marks).toEqual([60]);
    expect(new Set(link.idsTo('EE'))).toEqual(new Set(ids));
  });

  it('marks nothing before its partner has it, and leaves the order of a key', async () => {
    const ids = await add(3, 'EE', randomUUID());
    const link = new HeldLink(new Set(['EE']));
    const { marks } = start(link);
    for (let n = 1; n <= 3; n += 1) {
      await until(() => link.sent.length === n);
      await pause(50);
      expect(link.idsTo('EE')).toEqual(ids.slice(0, n));
      expect(marks).toHaveLength(n - 1);
      link.answer();
    }
    await until(() => marks.length === 3);
  });

  it('reads on while a partner is slow, up to a bound, and the others’ leave meanwhile', async () => {
    await add(9, 'EE');
    const link = new HeldLink(new Set(['EE']));
    start(link, { taken: { envelopes: 2, bytes: 1_000_000 }, toOne: { envelopes: 4, bytes: 1_000_000 } });
    await until(() => link.idsTo('EE').length === 4);
    await add(5, 'BE');
    await until(() => link.idsTo('BE').length === 5);
    expect(link.idsTo('EE')).toHaveLength(4);
    link.answer();
    await until(() => link.idsTo('EE').length >= 8);
    link.answer();
    await until(() => link.idsTo('EE').length === 9);
  });

  it('does not send again what is under way for longer than its lease', async () => {
    const ids = await add(2, 'EE');
    const link = new HeldLink(new Set(['EE']));
    const { marks } = start(link, {}, 100);
    await until(() => link.sent.length === 2);
    await pause(600);
    expect(new Set(link.idsTo('EE'))).toEqual(new Set(ids));
    expect(link.sent).toHaveLength(2);
    link.answer();
    await until(() => marks.length === 1);
  });

  it('takes up what another took and never marked', async () => {
    const ids = await add(3, 'EE');
    const killed = await db.uow.run(({ outgoing }) => outgoing.take({ envelopes: 10 }, 300));
    expect(killed).toHaveLength(3);
    const link = new HeldLink(new Set());
    start(link);
    await pause(100);
    expect(link.sent).toEqual([]);
    await until(() => link.sent.length === 3);
    expect(link.idsTo('EE')).toEqual(ids);
  });

  it('complains once of a partner that is away, whatever waits, and goes on when it is back', async () => {
    await add(20, 'EE');
    const failing = new Set(['EE']);
    const link = new HeldLink(new Set(), failing);
    const { marks } = start(link);
    await until(() => complaints.length > 0);
    expect(complaints[0]).toBe('20 envelopes to EE did not leave');
    failing.clear();
    await until(() => marks.reduce((sum, one) => sum + one, 0) === 20);
  });

  it('ends when what is under way was marked', async () => {
    await add(4, 'EE');
    const link = new HeldLink(new Set(['EE']));
    const { courier, marks } = start(link);
    await until(() => link.sent.length === 4);
    const stopped = courier.stop();
    await pause(50);
    expect(marks).toEqual([]);
    link.answer();
    await stopped;
    expect(marks).toEqual([4]);
    expect(await db.uow.run(({ outgoing }) => outgoing.take({ envelopes: 10 }, 0))).toEqual([]);
  });
});
