import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MllpClient } from '../testing/mllp-client.js';
import { testEdge, type TestEdge } from '../testing/test-edge.js';

const hl7 = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../../../../formats/fixtures/hl7v2', `${name}.hl7`));
const document = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../../../../formats/fixtures', name));
const PT_PERSON = { system: 'urn:oid:2.16.620.1.101.10.1.2', value: '999000001' };

const ENVELOPE = '48b1bd3c-6f0e-4c0a-9d5f-333333333333.2';

let pt: TestEdge;
const revived: unknown[] = [];
const deadAtNotary: { id: string; to: string; type: string; code: string }[] = [];

beforeAll(async () => {
  pt = await testEdge('PT', {
    sources: ['SIEX|PT-HOSPITAL-EXEMPLO', 'pt-hospital'],
    queries: {
      exchange: {
        'emergency.reviews-due': async () => [{ overdue: true }, { overdue: false }],
        'dead-letters': async () => [
          { seq: '7', from: 'EE', id: 'a', code: 'receive.signature-invalid', at: '2026-11-21T10:00:00.000Z' },
          { id: ENVELOPE, to: 'EE', code: 'exchange.certificate-refused' },
        ],
        transfers: async () => [
          { transferId: 't-1', partner: 'EE', state: 'sealed', attempts: 9 },
          { transferId: 't-2', partner: 'EE', state: 'closed', attempts: 9 },
          { transferId: 't-3', partner: 'EE', state: 'asked', attempts: 1 },
        ],
        'dead-letter.revive': async (data: { seq: string }) => data.seq === '7' && revived.push(data) > 0,
        'dead-envelope.revive': async (data: { id: string }) => revived.push(data) > 0,
        'outbox.dead': async () => [],
        'outbox.revive': async () => false,
      },
      notary: {
        'outbox.dead': async () => deadAtNotary,
        'outbox.revive': async ({ id }: { id: string }) => deadAtNotary.splice(0).some((one) => one.id === id),
        'ledger.state': async () => ({ height: 4, divergences: [] }),
        'late.missing': async () => [],
      },
    },
  });
});
afterAll(() => pt.close());

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

async function call(
  path: string,
  options: { as?: 'operator' | 'system' | 'person'; method?: string; type?: string; body?: Uint8Array | string; client?: string } = {},
): Promise<Answer> {
  const { as = 'operator', method = 'GET', type, body, client } = options;
  const headers = { authorization: `Bearer ${await pt.token(as, client)}`, ...(type === undefined ? {} : { 'content-type': type }) };
  const response = await fetch(`${pt.http}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> | string }),
  });
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
  const kind = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
  return {
    status: response.status,
    type: kind,
    text,
    json: /json/.test(kind) ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}

const send = (type: string, body: Uint8Array | string, client = 'pt-hospital'): Promise<Answer> =>
  call('/ingest', { as: 'system', method: 'POST', type, body, client });

interface RejectItem {
  readonly id: string;
  readonly messageId: string;
  readonly code: string;
  readonly where: string;
  readonly source: string;
}
const openRejects = async (): Promise<readonly RejectItem[]> => (await call('/operator/rejects')).json['rejects'] as RejectItem[];

/** A damaged message over MLLP, with a person's number of the test's own; answers with its reject. */
async function damaged(number: string): Promise<RejectItem> {
  const message = Buffer.from(
    hl7('pt-adt-a08-damaged').toString('latin1').replaceAll('999000001', number).replaceAll('200001', number),
    'latin1',
  );
  const client = await MllpClient.connect(pt.mllp);
  expect(await client.ask(message)).toContain('MSA|AE|PT-ADT-0002');
  client.close();
  const found = (await openRejects()).find(({ source, messageId }) => source === 'SIEX|PT-HOSPITAL-EXEMPLO' && !seen.has(messageId));
  seen.add(found!.messageId);
  return found!;
}
const seen = new Set<string>();
const repairedBytes = (number: string): Buffer =>
  Buffer.from(hl7('pt-adt-a08-repaired').toString('latin1').replaceAll('999000001', number).replaceAll('200001', number), 'latin1');

describe('ingest over HTTP', () => {
  it('answers HL7 v2 with an acknowledgement in its character set', async () => {
    const answer = await send('application/hl7-v2', hl7('pt-adt-a01'));
    expect(answer).toMatchObject({ status: 200, type: 'application/hl7-v2' });
    expect(answer.text).toContain('MSA|AA|PT-ADT-0001');
    const again = await send('x-application/hl7-v2+er7', hl7('pt-adt-a01'));
    expect(again.text).toContain('MSA|AA|PT-ADT-0001');
    expect(await pt.uow.run((tx) => tx.persons.byIdentifier(PT_PERSON))).toHaveLength(1);
  });

  it('answers a refused HL7 v2 message with ERR and the status of its code', async () => {
    const answer = await send('application/hl7-v2', hl7('pt-adt-a08-damaged'));
    expect(answer.status).toBe(422);
    expect(answer.text).toMatch(/MSA\|AE\|PT-ADT-0002\rERR\|\|PID\^1\^7/);
  });

  it('takes a batch file apart: each message stands or falls by itself, and is told at its place', async () => {
    const numbered = (name: string, number: string): string =>
      hl7(name).toString('latin1').replaceAll('999000001', number).replaceAll('200001', number).replaceAll('PT-ADT-', `B${number}-`);
    const file = [
      'FHS|^~\\&|SIEX|PT-HOSPITAL-EXEMPLO\r',
      'BHS|^~\\&|SIEX|PT-HOSPITAL-EXEMPLO\r',
      numbered('pt-adt-a01', '999000021'),
      numbered('pt-adt-a08-damaged', '999000022'),
      numbered('pt-adt-a01', '999000023'),
      'BTS|4\r',
      'FTS|1\r',
    ].join('');
    const answer = await send('application/hl7-v2', Buffer.from(file, 'latin1'));
    expect(answer).toMatchObject({ status: 200, type: 'application/json' });
    const entries = answer.json['entries'] as { state: string; problems: { code: string }[]; messageId?: string }[];
    expect(entries.map(({ state, problems }) => [state, problems[0]?.code])).toEqual([
      ['stored', undefined],
      ['rejected', 'translate.value-invalid'],
      ['stored', undefined],
      // The file says that it has four.
      ['rejected', 'ingest.batch-incomplete'],
    ]);
    expect(answer.json).toMatchObject({ messages: 3, refused: 1 });
    expect((await openRejects()).map(({ messageId }) => messageId)).toContain(entries[1]?.messageId);
    const again = await send('application/hl7-v2', Buffer.from(file, 'latin1'));
    expect((again.json['entries'] as typeof entries).map(({ messageId }) => messageId)).toEqual(entries.map(({ messageId }) => messageId));
    for (const value of ['999000021', '999000023'])
      expect(await pt.uow.run((tx) => tx.persons.byIdentifier({ ...PT_PERSON, value }))).toHaveLength(1);
  });

  it('takes a CDA document and tells what became of it', async () => {
    const summary = document('cda/pt-ana-exemplo-summary.xml').toString('utf8').replaceAll('999000001', '999000007');
    const answer = await send('application/xml', summary);
    expect(answer).toMatchObject({ status: 200, json: { state: 'stored', format: 'cda' } });
    const [person] = await pt.uow.run((tx) => tx.persons.byIdentifier({ ...PT_PERSON, value: '999000007' }));
    const all = await pt.uow.run((tx) => tx.resources.ofPerson(person!.id, 'all', 200));
    const filed = all.filter(({ messageId }) => messageId === answer.json['messageId']).map(({ type }) => type);
    expect(filed).toEqual(expect.arrayContaining(['AllergyIntolerance', 'Patient', 'Provenance']));
  });

  it.each([
    ['what is in no format that is read', 'text/plain', 'Ana Exemplo, born some day', 415, 'ingest.format-unknown'],
    ['a document that breaks its syntax', 'application/xml', '<ClinicalDocument xmlns="urn:hl7-org:v3"><id>', 400, 'ingest.malformed'],
  ])('refuses %s with a problem document, and keeps it', async (_what, type, body, status, code) => {
    const answer = await send(type, body);
    expect(answer).toMatchObject({
      status,
      type: 'application/problem+json',
      json: { type: `urn:portolan:error:${code}`, status, code, where: expect.any(String), next: expect.any(String) },
    });
    expect(answer.text).not.toContain('Exemplo');
    expect((await openRejects()).map(({ messageId }) => messageId)).toContain(answer.json['messageId']);
  });

  it('keeps what an unknown client sends, and refuses it', async () => {
    const answer = await send('application/xml', document('cda/pt-ana-exemplo-summary.xml'), 'stranger');
    expect(answer).toMatchObject({ status: 403, json: { code: 'ingest.sender-unknown', where: 'client' } });
  });

  it('refuses a body that is none, is too large, or of a type that is not read', async () => {
    expect(await send('application/hl7-v2', '')).toMatchObject({ status: 400, json: { code: 'ingest.body-missing' } });
    expect(await send('application/json', '{"a":1}')).toMatchObject({ status: 400, json: { code: 'ingest.body-missing' } });
    expect(await send('application/octet-stream', new Uint8Array(1_600_000))).toMatchObject({
      status: 413,
      json: { code: 'http.body-too-large' },
    });
    expect(await send('image/png', 'x')).toMatchObject({ status: 415, json: { code: 'http.media-type-unsupported' } });
  });

  it('is for systems alone, with a token', async () => {
    expect(await call('/ingest', { as: 'person', method: 'POST', type: 'text/plain', body: 'x' })).toMatchObject({
      status: 403,
      json: { code: 'access.not-allowed' },
    });
    const bare = await fetch(`${pt.http}/ingest`, { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } });
    expect(bare.status).toBe(401);
    expect(bare.headers.get('www-authenticate')).toBe('Bearer');
    expect(await bare.json()).toMatchObject({ code: 'access.token-missing' });
  });
});

describe('rejects', () => {
  it('are shown by code and place; the original only on request, exactly, and on record', async () => {
    const reject = await damaged('999000010');
    const detail = await call(`/operator/rejects/${reject.id}`);
    expect(detail.json).toMatchObject({
      id: reject.id,
      code: 'translate.value-invalid',
      where: 'PID-7',
      state: 'open',
      via: 'mllp',
      controlId: 'PT-ADT-0002',
      source: 'SIEX|PT-HOSPITAL-EXEMPLO',
    });
    expect(detail.json['problems'] as unknown[]).toContainEqual({ code: 'translate.value-invalid', where: 'PID-7' });
    const list = await call('/operator/rejects?state=open');
    for (const { text } of [detail, list])
      for (const canary of ['999000010', 'Exemplo', '19801350', 'Lisboa']) expect(text).not.toContain(canary);
    const original = await call(`/operator/rejects/${reject.id}/original`);
    expect(original).toMatchObject({ status: 200, type: 'application/octet-stream' });
    expect(original.text).toContain('|19801350|');
    const [event] = await pt.uow.run((tx) => tx.audit.list({ type: 'reject-original-read' }, 1));
    expect(JSON.parse(event!.body!)).toMatchObject({
      agent: expect.arrayContaining([expect.objectContaining({ role: [{ text: 'operator' }] })]),
      entity: [{ what: { reference: `Basic/${reject.id}` } }],
    });
  });

  it('are repaired: the new message is filed, the reject closed by it, and the original stays', async () => {
    const number = '999000021';
    const reject = await damaged(number);
    const answer = await call(`/operator/rejects/${reject.id}/replay`, {
      method: 'POST',
      type: 'application/octet-stream',
      body: repairedBytes(number),
    });
    expect(answer).toMatchObject({ status: 200, json: { rejectId: reject.id, state: 'stored' } });
    const [person] = await pt.uow.run((tx) => tx.persons.byIdentifier({ ...PT_PERSON, value: number }));
    expect(person).toMatchObject({ birthDate: '1980-02-02' });
    const { message, original } = await pt.uow.run(async (tx) => ({
      message: await tx.messages.get(answer.json['messageId'] as string),
      original: await tx.messages.get(reject.messageId),
    }));
    expect(message).toMatchObject({ via: 'replay', state: 'stored' });
    expect(Buffer.from(original!.original).toString('latin1')).toContain('|19801350|');
    expect((await call('/operator/rejects?state=repaired')).json['rejects']).toContainEqual(expect.objectContaining({ id: reject.id }));
    // Its sender, who sends the damaged message once more, hears that the content is filed.
    const client = await MllpClient.connect(pt.mllp);
    expect(await client.ask(Buffer.from(original!.original))).toContain('MSA|AA|PT-ADT-0002');
    client.close();
    expect(await call(`/operator/rejects/${reject.id}/replay`, { method: 'POST' })).toMatchObject({
      status: 409,
      json: { code: 'operator.reject-closed' },
    });
    // The original turned out to be hers: it is erased with her.
    await pt.uow.run((tx) => tx.keys.erase(person!.id));
    expect(await call(`/operator/rejects/${reject.id}/original`)).toMatchObject({ status: 410, json: { code: 'operator.original-gone' } });
  });

  it('are not closed by a repair that is none; nothing of it is stored', async () => {
    const reject = await damaged('999000032');
    const still = await call(`/operator/rejects/${reject.id}/replay`, { method: 'POST' });
    expect(still).toMatchObject({
      status: 422,
      type: 'application/problem+json',
      json: { code: 'translate.value-invalid', where: 'PID-7', rejectId: reject.id },
    });
    const test = Buffer.from(repairedBytes('999000032').toString('latin1').replace('|P|2.5|', '|T|2.5|'), 'latin1');
    expect(await call(`/operator/rejects/${reject.id}/replay`, { method: 'POST', type: 'application/hl7-v2', body: test })).toMatchObject({
      status: 422,
    });
    expect((await call(`/operator/rejects/${reject.id}`)).json).toMatchObject({ state: 'open' });
    expect(await pt.uow.run((tx) => tx.persons.byIdentifier({ ...PT_PERSON, value: '999000032' }))).toEqual([]);
    const events = await pt.uow.run((tx) => tx.audit.list({ type: 'reject-repaired' }, 2));
    expect(events.map(({ outcome }) => outcome)).toEqual(['refused', 'refused']);
  });

  it('of two operators at once one repairs, the other hears that it is done', async () => {
    const number = '999000043';
    const reject = await damaged(number);
    const replay = (): Promise<Answer> =>
      call(`/operator/rejects/${reject.id}/replay`, { method: 'POST', type: 'application/octet-stream', body: repairedBytes(number) });
    const answers = await Promise.all([replay(), replay(), replay()]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    expect(await pt.uow.run((tx) => tx.persons.byIdentifier({ ...PT_PERSON, value: number }))).toHaveLength(1);
  });

  it('are replayed as they are, once what was missing is there', async () => {
    const refused = await send('application/hl7-v2', repairedBytes('999000054'), 'late-hospital');
    expect(refused.text).toContain('ingest.sender-unknown');
    const later = await testEdge('PT', { copyOf: pt, sources: ['late-hospital'] });
    const [reject] = (await later.uow.run((tx) => tx.rejects.list('open', 500))).filter(({ source }) => source === 'late-hospital');
    const headers = { authorization: `Bearer ${await later.token('operator')}` };
    const replayed = await fetch(`${later.http}/operator/rejects/${reject!.id}/replay`, { method: 'POST', headers });
    expect(await replayed.json()).toMatchObject({ state: 'stored', rejectId: reject!.id });
    expect(await later.uow.run((tx) => tx.persons.byIdentifier({ ...PT_PERSON, value: '999000054' }))).toHaveLength(1);
    await later.close();
  });

  it('are discarded with a reason', async () => {
    const reject = await damaged('999000065');
    const path = `/operator/rejects/${reject.id}/discard`;
    for (const body of ['{}', '{"reason":" "}', '[]', `{"reason":"${'x'.repeat(501)}"}`]) {
      expect(await call(path, { method: 'POST', type: 'application/json', body })).toMatchObject({
        status: 400,
        json: { code: 'operator.reason-missing' },
      });
    }
    expect(await call(path, { method: 'POST', type: 'application/json', body: '{"reason":"sent by mistake"}' })).toMatchObject({
      status: 200,
      json: { state: 'discarded' },
    });
    expect(await call(path, { method: 'POST', type: 'application/json', body: '{"reason":"again"}' })).toMatchObject({ status: 409 });
    expect(await pt.uow.run((tx) => tx.audit.list({ type: 'reject-discarded' }, 5))).toHaveLength(1);
  });
});

describe('the operator', () => {
  it.each([
    ['GET', '/operator/health'],
    ['GET', '/operator/rejects'],
    ['GET', '/operator/rejects/48b1bd3c-6f0e-4c0a-9d5f-000000000000/original'],
    ['POST', '/operator/rejects/48b1bd3c-6f0e-4c0a-9d5f-000000000000/replay'],
    ['POST', '/operator/outbox/48b1bd3c-6f0e-4c0a-9d5f-000000000000/revive'],
    ['POST', '/operator/dead-letters/7/revive'],
  ])('alone may %s %s', async (method, path) => {
    for (const as of ['person', 'system'] as const)
      expect(await call(path, { method, as })).toMatchObject({ status: 403, json: { code: 'access.not-allowed' } });
    expect((await fetch(`${pt.http}${path}`, { method })).status).toBe(401);
  });

  it('sees what is wrong and what to do, by codes and ids', async () => {
    const { json } = await call('/operator/health');
    const checks = json['checks'] as { name: string; ok: boolean; facts: unknown; next?: string }[];
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
      ['database', true],
      ['rejects', false],
      ['stays', true],
      ['outbox', true],
      ['dead-letters', false],
      ['transfers', false],
      ['ledger', true],
      ['emergencies', false],
    ]);
    expect(checks[4]).toMatchObject({
      facts: {
        dead: [
          { seq: '7', from: 'EE' },
          { id: ENVELOPE, to: 'EE', type: 'envelope' },
        ],
      },
    });
    expect(checks[7]).toMatchObject({ facts: { missing: [], reviewsDue: 2, overdue: 1 } });
    expect(checks[5]).toMatchObject({ facts: { waiting: 2, stuck: [{ transferId: 't-1', state: 'sealed' }] }, next: expect.any(String) });
    expect(json).toMatchObject({ country: 'PT', ok: false });
  });

  it('is told which role does not answer', async () => {
    const alone = await testEdge('PT', { copyOf: pt });
    const response = await fetch(`${alone.http}/operator/health`, {
      headers: { authorization: `Bearer ${await alone.token('operator')}` },
    });
    const { checks } = (await response.json()) as { checks: { name: string; ok: boolean; code?: string }[] };
    expect(checks.filter(({ code }) => code === 'link.unreachable').map(({ name }) => name)).toEqual([
      'outbox',
      'dead-letters',
      'transfers',
      'ledger',
      'emergencies',
    ]);
    await alone.close();
  });

  it('revives what was given up, on record', async () => {
    expect(await call('/operator/dead-letters/7/revive', { method: 'POST' })).toMatchObject({ status: 200, json: { revived: '7' } });
    expect(await call(`/operator/dead-letters/${ENVELOPE}/revive`, { method: 'POST' })).toMatchObject({ json: { revived: ENVELOPE } });
    expect(revived).toEqual([{ seq: '7' }, { id: ENVELOPE }]);
    const elsewhere = '48b1bd3c-6f0e-4c0a-9d5f-444444444444';
    deadAtNotary.push({ id: elsewhere, to: 'exchange', type: 'act.settled', code: 'link.failed' });
    const { checks } = (await call('/operator/health')).json as { checks: { name: string; facts: unknown }[] };
    expect(checks.find(({ name }) => name === 'outbox')?.facts).toMatchObject({ dead: [{ id: elsewhere }] });
    expect(await call(`/operator/outbox/${elsewhere}/revive`, { method: 'POST' })).toMatchObject({ status: 200 });
    for (const path of [`outbox/${elsewhere}`, 'dead-letters/8'])
      expect(await call(`/operator/${path}/revive`, { method: 'POST' })).toMatchObject({
        status: 404,
        json: { code: 'operator.delivery-unknown' },
      });
    const id = '48b1bd3c-6f0e-4c0a-9d5f-111111111111';
    await pt.uow.run(async (tx) =>
      tx.outbox.add({ id, to: 'exchange', type: 'view.stored', key: 'k', keyId: await tx.keys.create(), body: {} }),
    );
    for (let dead = false; !dead; dead = (await pt.uow.run((tx) => tx.outbox.dead(10))).some((one) => one.id === id)) {
      const taken = await pt.uow.run((tx) => tx.outbox.take(500, 0));
      for (const one of taken)
        await pt.uow.run((tx) => (one.id === id ? tx.outbox.failed(id, 0, 'link.failed', true) : tx.outbox.delivered(one.id)));
    }
    expect(await call(`/operator/outbox/${id}/revive`, { method: 'POST' })).toMatchObject({ status: 200 });
    expect(await pt.uow.run((tx) => tx.outbox.dead(10))).toEqual([]);
    expect(await pt.uow.run((tx) => tx.audit.list({ type: 'delivery-revived' }, 50))).toHaveLength(6);
    expect(await call('/operator/dead-letters/x7/revive', { method: 'POST' })).toMatchObject({
      status: 400,
      json: { code: 'operator.id-invalid' },
    });
  });

  it('and everybody else meets one form of failure', async () => {
    expect(await call('/operator/nothing')).toMatchObject({
      status: 404,
      type: 'application/problem+json',
      json: { code: 'http.route-unknown' },
    });
    expect(await call('/operator/rejects/not-an-id')).toMatchObject({ status: 400, json: { code: 'operator.id-invalid' } });
    expect(await call('/operator/rejects?state=any')).toMatchObject({ status: 400 });
    expect(await call('/operator/rejects/48b1bd3c-6f0e-4c0a-9d5f-000000000000')).toMatchObject({
      status: 404,
      json: { code: 'operator.reject-unknown' },
    });
    const id = '48b1bd3c-6f0e-4c0a-9d5f-000000000000';
    expect(await call(`/operator/rejects/${id}/discard`, { method: 'POST', type: 'application/json', body: '{"reason":' })).toMatchObject({
      status: 400,
      json: { code: 'http.request-malformed' },
    });
  });

  it('is no concern of the roles: between them an error crosses by its code', async () => {
    await expect(pt.asExchange.query('edge', 'no-such-query', {})).rejects.toMatchObject({ code: 'link.unknown-message' });
    await expect(pt.asExchange.ask('edge', 'outbox.body', { id: '48b1bd3c-6f0e-4c0a-9d5f-222222222222' })).resolves.toEqual({ gone: true });
  });

  it('leaves no health data in the log', () => {
    const lines = pt.log.join('\n');
    expect(pt.log.length).toBeGreaterThan(5);
    for (const canary of ['Exemplo', 'Ana', '9990000', 'Lisboa', '19801350', 'sent by mistake']) expect(lines).not.toContain(canary);
  });
});
