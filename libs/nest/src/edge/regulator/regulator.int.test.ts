import { readFile } from 'node:fs/promises';
import { webcrypto } from 'node:crypto';
import { canonicalJson, PortolanError, Validators, type Receipt } from '@portolan/contracts';
import type { TrailStep } from '@portolan/domain';
import { sha256 } from '@portolan/keys';
import { parseTrust, verifyReceipt } from '@portolan/verify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ground, people, PersonNode, type Answer } from '../person/test-support/person-node.js';
import type { TrailQuestion } from './trail-query.js';

const vector = async (name: string): Promise<string> =>
  readFile(new URL(`../../../../contracts/vectors/valid/${name}.json`, import.meta.url), 'utf8');
const TRANSFER = '2f1c6f3e-6a2b-4c4b-9d5e-0a1b2c3d4e5f';

let ground: Ground;
let node: PersonNode;
let regulator: string;

beforeAll(async () => {
  ground = await Ground.make();
  node = await PersonNode.start(ground);
  await node.person([people.mari]);
  regulator = await ground.provider.login('regulator');
});
afterAll(async () => {
  await node.close();
  await ground.close();
});
beforeEach(() => {
  node.notary.queries = {};
  node.evidence = {};
});

const ask = (path: string, token = regulator): Promise<Answer> => node.call(`/regulator/${path}`, { token });
const problem = (answer: Answer): { status: number; code: string } => ({
  status: answer.status,
  code: answer.json<{ code: string }>().code,
});
const events = () => node.run((tx) => tx.audit.list({ type: 'trail-queried' }, 500));

/** The notary's trail, from its newest step to the oldest, as its port says. */
function trailOf(count: number): (question: TrailQuestion) => Promise<unknown> {
  const at = '2026-11-21T10:00:00.000Z';
  const steps = Array.from({ length: count }, (_, i) => ({ at, block: 100 - Math.trunc(i / 3), position: 2 - (i % 3) }) as TrailStep);
  return async ({ limit, behind }) => {
    const shown = behind === undefined ? 0 : steps.findIndex((one) => one.block === behind.block && one.position === behind.position) + 1;
    const page = steps.slice(shown, shown + limit);
    const last = page.length === limit ? page.at(-1) : undefined;
    return { steps: page, next: last === undefined ? undefined : { upTo: 100, at, block: last.block, position: last.position } };
  };
}

describe('the trail', () => {
  it('is asked for as the regulator asks', async () => {
    let asked: unknown;
    node.notary.queries = { trail: async (question: unknown) => ((asked = question), { steps: [] }) };
    const from = encodeURIComponent('2026-11-21T02:00:00+02:00');
    const answer = await ask(
      `trail?country=PT&from=${from}&to=2026-11-22T00:00:00Z&purpose=TREAT&transfer=${TRANSFER}&step=released&limit=20`,
    );
    expect(answer.json()).toEqual({ steps: [] });
    expect(asked).toEqual({
      filter: {
        country: 'PT',
        from: '2026-11-21T00:00:00.000Z',
        to: '2026-11-22T00:00:00.000Z',
        purpose: 'TREAT',
        transferId: TRANSFER,
        step: 'released',
      },
      limit: 20,
    });
  });

  it.each([1, 4, 7, 100])('comes whole in pages of %i, each line once', async (limit) => {
    node.notary.queries = { trail: trailOf(20) };
    const seen: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const answer = await ask(`trail?country=EE&limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const page: { steps: TrailStep[]; next?: string } = answer.json();
      seen.push(...page.steps.map(({ block, position }) => `${block}.${position}`));
      cursor = page.next;
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => `${100 - Math.trunc(i / 3)}.${2 - (i % 3)}`));
  });

  it.each([
    'country=Estonia',
    'country=EE&country=PT',
    'from=yesterday',
    'from=2026-13-01T00:00:00Z',
    'purpose=CURIOSITY',
    'transfer=1',
    'step=lost',
    'limit=0',
    'limit=501',
    'limit=-1',
    'person=47101010033',
    'cursor=AAAA',
    'cursor=%20',
    `cursor=${'A'.repeat(300)}`,
  ])('refuses %s', async (query) => {
    node.notary.queries = { trail: trailOf(3) };
    expect(problem(await ask(`trail?${query}`))).toEqual({ status: 400, code: 'trail.query-invalid' });
  });

  it('refuses the cursor of another query', async () => {
    node.notary.queries = { trail: trailOf(9) };
    const { next } = (await ask('trail?country=EE&limit=2')).json<{ next: string }>();
    expect((await ask(`trail?country=EE&limit=5&cursor=${next}`)).status).toBe(200);
    expect(problem(await ask(`trail?country=PT&limit=2&cursor=${next}`))).toEqual({ status: 400, code: 'trail.query-invalid' });
  });
});

describe('a receipt', () => {
  it.each(['released', 'released-disclosed', 'received', 'refused'])(
    'of the vectors, %s, verifies offline as it was answered',
    async (name) => {
      const whole = JSON.parse(await vector(`receipt/${name}`)) as Receipt;
      const { sealed, counterReceipt, ...proof } = whole;
      const step = JSON.parse(whole.leaf).step as string;
      const trust = await vector('trust-file/demo');
      node.notary.queries = { receipt: async () => proof, trust: async () => JSON.parse(trust) as unknown };
      node.evidence = { ...(sealed === undefined ? {} : { sealed }), ...(counterReceipt === undefined ? {} : { counterReceipt }) };
      const answer = await ask(`receipts/${TRANSFER}?step=${step}`);
      expect(answer.status).toBe(200);
      const expected = step === 'released' ? whole : proof;
      expect(answer.text).toBe(canonicalJson(expected));
      const validators = new Validators();
      const pinned = parseTrust((await ask('trust')).text, validators);
      const deps = { sha256, subtle: webcrypto.subtle as never, validators };
      const report = await verifyReceipt(answer.text, pinned, deps);
      expect(report.steps.filter(({ ok }) => !ok)).toEqual([]);
      expect(report.ok).toBe(true);
      const altered = answer.text.replace(/"root":"./, (found) => `${found.slice(0, -1)}${found.endsWith('0') ? '1' : '0'}`);
      expect((await verifyReceipt(altered, pinned, deps)).ok).toBe(false);
    },
  );

  it.each<[string, () => Promise<unknown>, number, string]>([
    ['that nobody knows', async () => Promise.reject(new PortolanError('trail.unknown', 'notary/receipt')), 404, 'trail.unknown'],
    [
      'whose head is not proved',
      async () => Promise.reject(new PortolanError('trail.not-anchored-yet', 'notary/receipt')),
      409,
      'trail.not-anchored-yet',
    ],
    ['that does not fit its contract', async () => ({ v: 1, ledger: 'embedded' }), 500, 'trail.receipt-unfit'],
  ])('%s is refused', async (_, receipt, status, code) => {
    node.notary.queries = { receipt };
    expect(problem(await ask(`receipts/${TRANSFER}`))).toEqual({ status, code });
  });

  it.each<[string, number, string]>([
    ['receipts/1', 404, 'trail.unknown'],
    [`receipts/${TRANSFER}?step=Released!`, 400, 'trail.query-invalid'],
    [`receipts/${TRANSFER}?step=a&step=b`, 400, 'trail.query-invalid'],
    ['events/1/proof', 404, 'trail.event-not-proved'],
    [`events/${TRANSFER}/proof`, 404, 'trail.event-not-proved'],
  ])('%s is refused', async (path, status, code) => {
    node.notary.queries = { 'event.proof': async () => undefined };
    expect(problem(await ask(path))).toEqual({ status, code });
  });
});

it('says how this copy of the channel stands, and where an event stands in the log', async () => {
  const proof = { index: 3, size: 9, root: 'a'.repeat(64), path: [], head: 4 };
  node.notary.queries = { 'ledger.state': async () => ({ height: 12, divergences: [] }), 'event.proof': async () => proof };
  expect((await ask('ledger')).json()).toEqual({ height: 12, divergences: [] });
  expect((await ask(`events/${TRANSFER}/proof`)).json()).toEqual({ eventId: TRANSFER, ...proof });
});

describe('who asks', () => {
  it.each<[string, () => Promise<string | undefined>, number, string]>([
    ['nobody', async () => undefined, 401, 'access.token-missing'],
    ['a person', () => ground.provider.login('mari'), 403, 'access.not-allowed'],
    ['an operator', () => ground.provider.login('operator'), 403, 'access.not-allowed'],
    ['a hospital', () => ground.provider.systemToken(), 403, 'access.not-allowed'],
  ])('is not %s', async (_, tokenOf, status, code) => {
    const token = await tokenOf();
    for (const path of ['trail', `receipts/${TRANSFER}`, 'trust', 'ledger', `events/${TRANSFER}/proof`])
      expect(problem(await node.call(`/regulator/${path}`, token === undefined ? {} : { token }))).toEqual({ status, code });
  });

  it('stands in the audit trail, with every question, also one that failed', async () => {
    const before = (await events()).length;
    node.notary.queries = { trail: trailOf(1), receipt: async () => Promise.reject(new PortolanError('trail.unknown', 'notary/receipt')) };
    await ask('trail');
    await ask(`receipts/${TRANSFER}`);
    const [second, first, ...rest] = await events();
    expect(rest).toHaveLength(before);
    expect(first).toMatchObject({ outcome: 'success', person: undefined });
    expect(second).toMatchObject({ outcome: 'failed', transferId: TRANSFER });
    expect(JSON.parse(second!.body!)).toMatchObject({
      outcomeDesc: 'trail.unknown',
      agent: [
        {
          name: 'Järelevalve Näidis',
          who: { identifier: { system: ground.provider.issuer, value: 'regulator' } },
          role: [{ text: 'regulator' }],
        },
        {},
        {},
      ],
    });
  });

  it('gets nothing where the question cannot be recorded', async () => {
    node.notary.queries = { trail: trailOf(1) };
    const { uow } = node.parts;
    (node.parts as { uow: unknown }).uow = { run: () => Promise.reject(new PortolanError('store.unavailable', 'test')) };
    expect(problem(await ask('trail'))).toEqual({ status: 503, code: 'store.unavailable' });
    (node.parts as { uow: unknown }).uow = uow;
  });
});
