import { createServer, type Server } from 'node:http';
import { PortolanError } from '@portolan/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { healthFindings } from '../doctor/health.checks.js';
import { OperatorApi } from './operator-api.js';

/** What this program makes of answers that no node of ours gives: something else may listen there. Real nodes: cli.scenario.test.ts. */
let server: Server;
let answer: { status: number; body: string } = { status: 200, body: '' };
const calls: { line: string; authorization: string | undefined; body: string }[] = [];
let api: OperatorApi;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    request.on('end', () => {
      calls.push({ line: `${request.method ?? ''} ${request.url ?? ''}`, authorization: request.headers.authorization, body });
      response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = new OperatorApi(`http://127.0.0.1:${(server.address() as { port: number }).port}`, () => Promise.resolve('the-token'));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => calls.splice(0));

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof PortolanError ? error.code : error),
  );
const says = (body: unknown, status = 200): void =>
  void (answer = { status, body: typeof body === 'string' ? body : JSON.stringify(body) });

describe('an answer that is none of ours is refused', () => {
  it.each([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['null', null],
    ['a list', []],
    ['another object', { hello: 1 }],
    ['rows without their texts', { rejects: [{ id: 7 }], checks: [{ name: 'ledger' }] }],
    ['too deep', '['.repeat(70) + ']'.repeat(70)],
  ])('%s', async (_, body) => {
    says(body);
    const codes = await Promise.all(
      [api.rejects(), api.health(), api.replay('x', undefined), api.mappingQuestions(), api.translateAgain(), api.stays()].map(codeOf),
    );
    expect(new Set(codes)).toEqual(new Set(['cli.answer-malformed']));
  });
});

describe('a refusal is told', () => {
  it.each([
    ['by its code', { code: 'operator.reject-unknown', where: 'reject' }, 404, 'operator.reject-unknown'],
    ['by its status where the code is unknown here', { code: 'operator.of-tomorrow' }, 418, 'cli.node-refused'],
    ['by its status where it is no problem document', 'Bad Gateway', 502, 'cli.node-refused'],
  ])('%s', async (_, body, status, code) => {
    says(body, status);
    const asked = [
      api.rejects(),
      api.original('x'),
      api.replay('x', undefined),
      api.discard('x', 'y'),
      api.revive('7'),
      api.health(),
      api.mappingQuestions(),
      api.translateAgain(),
      api.stays(),
      api.answerStay('x', 'move', 'y'),
    ];
    expect(new Set(await Promise.all(asked.map(codeOf)))).toEqual(new Set([code]));
  });
  it('by everything that is wrong with a message that is refused again', async () => {
    const errors = [{ code: 'ingest.malformed', where: 'PID-3' }];
    says({ code: 'ingest.malformed', where: 'PID-3', rejectId: 'x', errors }, 422);
    expect(await api.replay('x', undefined)).toEqual({ rejectId: 'x', state: 'rejected', errors });
  });
  it('is not followed elsewhere: the token would go with it', async () => {
    says('', 302);
    server.once('request', (_, response) => response.setHeader('location', 'http://127.0.0.1:9/'));
    expect(await codeOf(api.rejects())).toMatch(/^cli\.node-/);
  });
});

it('what is asked is asked as an operator, in the node’s words', async () => {
  says({ rejects: [] });
  await api.rejects();
  says({ rejectId: 'a/b', messageId: 'm', state: 'stored', warnings: [] });
  await api.replay('a/b', new Uint8Array([0x4d, 0xff]));
  await api.replay('a/b', undefined);
  await api.discard('a/b', 'twice sent');
  await api.revive('42');
  await api.revive('00000000-0000-4000-8000-000000000001');
  await api.revive('00000000-0000-4000-8000-000000000001.2');
  await api.answerStay('a/b', 'keep', 'hers');
  expect(calls.map(({ line, body }) => [line, body])).toEqual([
    ['GET /operator/rejects', ''],
    ['POST /operator/rejects/a%2Fb/replay', 'M\xff'],
    ['POST /operator/rejects/a%2Fb/replay', ''],
    ['POST /operator/rejects/a%2Fb/discard', '{"reason":"twice sent"}'],
    ['POST /operator/dead-letters/42/revive', ''],
    ['POST /operator/outbox/00000000-0000-4000-8000-000000000001/revive', ''],
    ['POST /operator/dead-letters/00000000-0000-4000-8000-000000000001.2/revive', ''],
    ['POST /operator/stays/a%2Fb/keep', '{"reason":"hers"}'],
  ]);
  expect(new Set(calls.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer the-token']));
});

it('nobody there is told as such', async () => {
  expect(await codeOf(new OperatorApi('http://127.0.0.1:1', () => Promise.resolve('t')).health())).toBe('cli.node-unreachable');
});

it('a node’s own findings become doctor’s', async () => {
  const checks = [
    {
      name: 'rejects',
      ok: false,
      next: 'Repair them',
      facts: { open: 2, oldest: '2026-11-21T10:00:00.000Z', codes: { 'ingest.malformed': 2 } },
    },
    { name: 'dead-letters', ok: false, next: 'Mend it', facts: { dead: [{ seq: '7', from: 'PT' }] } },
    { name: 'ledger', ok: false, code: 'link.unreachable', next: 'Start the notary' },
    { name: 'database', ok: true, facts: { milliseconds: 1 } },
    { name: 'outbox', ok: true },
  ];
  says({ country: 'EE', mode: 'demo', ok: false, checks });
  expect(await healthFindings('EE', api)).toEqual([
    { check: 'EE health rejects', ok: false, what: 'open 2, oldest 2026-11-21T10:00:00.000Z, ingest.malformed 2', next: 'Repair them' },
    { check: 'EE health dead-letters', ok: false, what: 'dead 1, {"seq":"7","from":"PT"}', next: 'Mend it' },
    { check: 'EE health ledger', ok: false, what: 'link.unreachable', next: 'Start the notary' },
    { check: 'EE health database', ok: true, what: 'milliseconds 1', next: '' },
    { check: 'EE health outbox', ok: true, what: 'nothing to report', next: '' },
  ]);
});
