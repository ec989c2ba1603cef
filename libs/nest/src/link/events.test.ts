import 'reflect-metadata';
import { KafkaContext } from '@nestjs/microservices';
import { PortolanError, type Uuid } from '@portolan/contracts';
import type { Role, RoleTx, UnitOfWork, Wakeups } from '@portolan/domain';
import { roleTopic } from '@portolan/kafka';
import { beforeEach, describe, expect, it } from 'vitest';
import { NodeLogger } from '../runtime/logger.js';
import { Deliveries, settle, type Settlement } from './deliveries.js';
import { EventsController } from './events.controller.js';
import { Relay } from './relay.js';
import type { Delivery } from './role-events.js';
import { RoleLink } from './role-link.js';
import { AlteredWork } from '../runtime/altered-work.fixture.js';

const id = '0f8fad5b-d9cb-469f-a165-70867728950e' as Uuid;
const other = '1f8fad5b-d9cb-469f-a165-70867728950e' as Uuid;
const body = { eventId: id, leafHash: 'ab'.repeat(32) };
const silent = new NodeLogger({ country: 'EE', role: 'notary' }, 'silent', () => undefined);

let noted: Set<string>;
let handled: unknown[];
let settled: { to: Role; settlement: Settlement }[];
let fault: Error | undefined;
let isAway: boolean;

/** A store that knows what these tests need of it. */
const uowWith = (tx: object): UnitOfWork<RoleTx> => new AlteredWork((work) => work(tx as RoleTx));

class Link extends RoleLink {
  constructor() {
    super(new Map(), 1_000);
  }

  override async ask<T>(to: Role, pattern: string, data: unknown): Promise<T> {
    if (isAway) throw new PortolanError('link.unreachable', to);
    if (pattern === 'outbox.body') return { body } as T;
    settled.push({ to, settlement: data as Settlement });
    return Promise.resolve(undefined as T);
  }
}

const inbox = {
  firstOf: async (ids: readonly string[]): Promise<ReadonlySet<string>> => {
    const fresh = new Set(ids.filter((one) => !noted.has(one)));
    for (const one of fresh) noted.add(one);
    return Promise.resolve(fresh);
  },
};
const deliveries = (): Deliveries<RoleTx> =>
  new Deliveries<RoleTx>('notary', uowWith({ inbox }), new Link(), {
    'log.append': async (_tx, given) => {
      if (fault !== undefined) throw fault;
      handled.push(given);
      return Promise.resolve();
    },
  });

beforeEach(() => {
  [noted, handled, settled, fault, isAway] = [new Set(), [], [], undefined, false];
});

describe('a message that an event tells of', () => {
  it('is fetched, handled once, and settled with its sender each time', async () => {
    for (const attempts of [1, 2]) await deliveries().told({ id, type: 'log.append', attempts }, 'exchange');
    expect(handled).toEqual([body]);
    expect(settled).toEqual([
      { to: 'exchange', settlement: { id } },
      { to: 'exchange', settlement: { id } },
    ]);
  });

  it.each([
    ['a fault of ours', new TypeError('x'), { code: 'link.failed', refused: true, attempts: 3 }],
    ['what has to wait', new PortolanError('store.unavailable', 'x'), { code: 'store.unavailable', refused: false, attempts: 3 }],
  ])('%s is told to its sender', async (_what, error, failed) => {
    fault = error;
    await deliveries().told({ id, type: 'log.append', attempts: 3 }, 'exchange');
    expect(settled).toEqual([{ to: 'exchange', settlement: { id, failed } }]);
  });

  it('is of no type that is not for us', async () => {
    await deliveries().told({ id, type: 'transfer.ask' }, 'exchange');
    expect(settled).toMatchObject([{ settlement: { id, failed: { code: 'link.unknown-message', refused: true } } }]);
  });
});

describe('the reading of events', () => {
  const log: string[] = [];
  const hear = (told: unknown, topic: string): Promise<void> => {
    const context = new KafkaContext([{}, 0, topic, {}, () => undefined, {}] as never);
    const failure = (_message: string, code: string): void => void log.push(code);
    return new EventsController({ uow: uowWith({}), deliveries: deliveries(), queries: {} }, { failure }).event(told, context);
  };

  it('takes the sender from the topic', async () => {
    await hear({ id, type: 'log.append', attempts: 1 }, roleTopic('edge', 'notary'));
    expect(settled).toEqual([{ to: 'edge', settlement: { id } }]);
  });

  it.each([
    ['null', null, roleTopic('edge', 'notary')],
    ['text', 'x', roleTopic('edge', 'notary')],
    ['no id', { id: 'x', type: 'log.append', attempts: 1 }, roleTopic('edge', 'notary')],
    ['a long type', { id, type: 'x'.repeat(101), attempts: 1 }, roleTopic('edge', 'notary')],
    ['no number', { id, type: 'log.append', attempts: '1' }, roleTopic('edge', 'notary')],
    ['a topic of nobody', { id, type: 'log.append', attempts: 1 }, 'roles.v1.other.notary'],
  ])('is not stopped by %s', async (_what, told, topic) => {
    await hear(told, topic);
    expect([handled, settled, log.pop()]).toEqual([[], [], 'link.unknown-message']);
  });

  it('is not stopped by a sender that is away', async () => {
    isAway = true;
    await hear({ id, type: 'log.append', attempts: 1 }, roleTopic('edge', 'notary'));
    expect(log.pop()).toBe('link.unreachable');
  });
});

it('a receiver settles what is addressed to it, and nothing else', async () => {
  const written: unknown[] = [];
  const outbox = {
    undelivered: async (ids: readonly string[], asker: Role) => Promise.resolve(asker === 'notary' ? ids.filter((one) => one === id) : []),
    delivered: async (one: string) => Promise.resolve(void written.push(['delivered', one])),
    failed: async (...given: unknown[]) => Promise.resolve(void written.push(['failed', ...given])),
  };
  const uow = uowWith({ outbox });
  await settle(uow, { id }, 'edge');
  await settle(uow, { id: other }, 'notary');
  expect(written).toEqual([]);
  await settle(uow, { id }, 'notary');
  await settle(uow, { id, failed: { code: 'no code of ours', refused: true, attempts: 2 } }, 'notary');
  expect(written).toEqual([
    ['delivered', id],
    ['failed', id, 400, 'link.failed', true],
  ]);
});

it('what was told waits for its receiver; told again, less and less often; what could not be told is tried again soon', async () => {
  const postponed: unknown[][] = [];
  const told: (readonly Delivery[])[] = [];
  let taken = [
    { id, to: 'notary', type: 'log.append', attempts: 1 },
    { id: other, to: 'notary', type: 'log.append', attempts: 3 },
  ];
  const outbox = {
    take: async () => Promise.resolve(taken.splice(0)),
    failed: async (...given: unknown[]) => Promise.resolve(void postponed.push(given)),
  };
  const events = {
    tell: async (_to: Role, deliveries: readonly Delivery[]) => {
      if (isAway) throw new PortolanError('link.unreachable', 'brokers');
      told.push(deliveries);
      return Promise.resolve();
    },
    close: async () => Promise.resolve(),
  };
  const wakeups = { wait: async () => new Promise((resolve) => setTimeout(resolve, 5)), heard: () => undefined } as unknown as Wakeups;
  const relay = new Relay(uowWith({ outbox }), new RoleLink(new Map(), 1_000, events), silent, wakeups, 1_000);
  relay.start();
  await expect
    .poll(() => told)
    .toEqual([
      [
        { id, type: 'log.append', attempts: 1 },
        { id: other, type: 'log.append', attempts: 3 },
      ],
    ]);
  await expect.poll(() => postponed).toEqual([[other, 4_000, 'link.unreachable', false]]);
  isAway = true;
  taken = [{ id, to: 'notary', type: 'log.append', attempts: 2 }];
  await expect.poll(() => postponed.at(-1)).toEqual([id, 400, 'link.unreachable', false]);
  await relay.stop();
});
