import { randomUUID } from 'node:crypto';
import { Validators, type TrustFile } from '@portolan/contracts';
import type { RoleMessages } from '@portolan/domain';
import { sha256 } from '@portolan/keys';
import { verifyReceipt } from '@portolan/verify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventStream } from '../client/event-stream.js';
import { eventually } from '../story/wait.js';
import { ana, mari } from '../world/demo-people.js';
import { EmergencyWorld } from './emergency-world.js';
import { lateEnvelope } from './late-envelope.js';

interface TrailLine {
  readonly transferId: string;
  readonly step: string;
  readonly late: boolean;
  readonly block: number;
  readonly position: number;
}

let two: EmergencyWorld;
let stream: EventStream;
const lines: string[] = [];

beforeAll(async () => {
  two = await EmergencyWorld.start((line) => void lines.push(line));
  await two.prepare();
  stream = await EventStream.open(`${two.at('EE').base}/person/events`, await two.at('EE').login(mari.id));
});
afterAll(async () => {
  stream.close();
  await two.stop();
});

const trailOf = async (transfer: string): Promise<readonly TrailLine[]> => {
  const ee = two.at('EE');
  const answer = await ee.call(`/regulator/trail?transfer=${transfer}`, { token: await ee.login('regulator') });
  return answer.json<{ steps: readonly TrailLine[] }>().steps.filter(({ transferId }) => transferId === transfer);
};

const emergencyState = async (id: string): Promise<string | undefined> => {
  const [row] = await two.rows<{ state: string }>('PT', 'SELECT state FROM exchange.emergency WHERE id = $1', [id]);
  return row?.state;
};

describe('with the channel at hand', () => {
  it('an emergency that nobody declared opens nothing', async () => {
    const [unnamed, undeclared] = [await two.ask({ purpose: 'ETREAT' }), await two.ask({ purpose: 'ETREAT', emergency: randomUUID() })];
    expect((await two.answered(unnamed, 'ETREAT', 20_000)).status).toBe(404);
    expect((await two.answered(undeclared, 'ETREAT', 30_000)).text).toContain('request.emergency-not-declared');
    expect(await two.state('EE', undeclared)).toBeUndefined();
  });

  it('a declared one is anchored first, and nothing in it is late', async () => {
    const transfer = await two.ask({ purpose: 'ETREAT', emergency: await two.declare() });
    expect((await two.answered(transfer, 'ETREAT', 20_000)).status).toBe(200);
    await eventually('both steps stand', async () => (await trailOf(transfer)).length === 2);
    expect((await trailOf(transfer)).map(({ late }) => late)).toEqual([false, false]);
  });

  it('the word for a late release opens nothing: it waits for its step, and is refused at its limit', async () => {
    const transfer = await two.ask({ purpose: 'ETREAT' });
    await eventually('the request has left', async () => (await two.state('PT', transfer)) === 'asked');
    await lateEnvelope(two, transfer, 4_000);
    await eventually('the envelope came in', async () => (await two.state('PT', transfer)) === 'arrived');
    await eventually('it is refused', async () => (await two.state('PT', transfer)) === 'refusing');
    expect((await two.answered(transfer, 'ETREAT', 5_000)).text).toContain('receive.refused');
  });
});

describe('a stolen edge', () => {
  type Declare = RoleMessages['emergency.declare'];
  const until = (hours = 1): string => new Date(Date.now() + hours * 3_600_000).toISOString();
  const declaration = (evidence: unknown, change: Partial<Declare> = {}): Declare =>
    ({ emergencyId: randomUUID(), country: 'EE', until: until(), reason: 'none', evidence, ...change }) as Declare;
  const refusal = async (id: string): Promise<string | undefined> =>
    (await two.rows<{ code: string | null }>('PT', 'SELECT code FROM edge.outbox WHERE key = $1', [id]))[0]?.code ?? undefined;

  it.each<[string, string, () => Promise<Declare>]>([
    [
      'by its word alone, as the version before sent it',
      'access.token-missing',
      async () => {
        const { name, nationalId: id, role, organisation } = two.doctor;
        return { ...declaration(undefined), actor: { kind: 'professional', name, id, role, organisation }, reviewDue: until(73) };
      },
    ],
    [
      'with the system’s token and nobody’s statement',
      'access.professional-missing',
      async () => declaration({ accessToken: await two.at('PT').systemToken() }),
    ],
    [
      'with a statement that was altered',
      'access.assertion-invalid',
      async () => {
        const evidence = await two.evidence(two.doctor, 'ETREAT');
        const [head, , signature] = (evidence.assertion ?? '').split('.');
        const [, claims] = (await two.at('PT').actingStatement(two.colleague, 'ETREAT')).split('.');
        return declaration({ ...evidence, assertion: [head, claims, signature].join('.') });
      },
    ],
    ['with a statement made for treatment', 'request.purpose-not-stated', async () => declaration(await two.evidence(two.doctor, 'TREAT'))],
    [
      'for longer than the channel takes',
      'ledger.emergency-term',
      async () => declaration(await two.evidence(two.doctor, 'ETREAT'), { until: until(73) }),
    ],
    ['with a person’s token', 'access.not-allowed', async () => declaration({ accessToken: await two.at('PT').login(ana.id) })],
  ])('declares no emergency %s', async (_how, code, make) => {
    const body = await make();
    await two.tell('emergency.declare', body.emergencyId, body);
    await eventually('it is refused', async () => (await refusal(body.emergencyId)) === code);
    expect(await emergencyState(body.emergencyId)).toBeUndefined();
  });

  it('does no second act under a statement that it saw, be it kept from the clinician’s own call or sent twice', async () => {
    const pt = two.at('PT');
    const [token, acting] = [await pt.systemToken(), await pt.actingStatement(two.doctor, 'ETREAT')];
    const patient = { resourceType: 'Patient', identifier: [mari.identifier], birthDate: mari.birthDate };
    const asked = await pt.call('/fhir/Patient/$match?country=EE', {
      token,
      acting,
      body: JSON.stringify(patient),
      type: 'application/fhir+json',
    });
    expect(asked.status).toBe(200);
    const stolen = declaration({ accessToken: token, assertion: acting });
    await two.tell('emergency.declare', stolen.emergencyId, stolen);
    await eventually('it is refused', async () => (await refusal(stolen.emergencyId)) === 'access.assertion-used');
    expect(await emergencyState(stolen.emergencyId)).toBeUndefined();
    const twice = await two.evidence(two.doctor, 'ETREAT');
    const [first, second] = [declaration(twice), declaration(twice)];
    await two.tell('emergency.declare', first.emergencyId, first);
    await eventually('it is declared', async () => (await emergencyState(first.emergencyId)) === 'declared');
    await two.tell('emergency.declare', second.emergencyId, second);
    await eventually('it is refused', async () => (await refusal(second.emergencyId)) === 'access.assertion-used');
  });

  it('neither ends nor reviews one in somebody’s name', async () => {
    const id = await two.declare();
    await eventually('it is declared', async () => (await emergencyState(id)) === 'declared');
    const evidence = { accessToken: await two.at('PT').systemToken() };
    await two.tell('emergency.end', id, { emergencyId: id, evidence });
    await eventually('the end is refused', async () => {
      const rows = await two.rows<{ code: string }>('PT', 'SELECT code FROM edge.outbox WHERE key = $1 AND code IS NOT NULL', [id]);
      return rows[0]?.code === 'access.professional-missing';
    });
    expect(await emergencyState(id)).toBe('declared');
  });
});

describe('with the channel gone', () => {
  let treatment: string;
  let late: string;
  let over: string;

  it('treatment waits: nothing is sent', async () => {
    await two.loseChannel();
    treatment = await two.ask({ purpose: 'TREAT' });
    await eventually('EE decided', async () => (await two.state('EE', treatment)) === 'permitting');
  });

  it('a record opens within seconds in a declared emergency, on the signed word of both nodes', async () => {
    const started = Date.now();
    late = await two.ask({ purpose: 'ETREAT', emergency: await two.declare() });
    expect((await two.answered(late, 'ETREAT', 20_000)).status).toBe(200);
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(await two.state('EE', treatment)).toBe('permitting');
    expect((await two.answer(treatment, 'TREAT')).status).toBe(202);
  });

  it('the person is told that it was late', async () => {
    const told = await stream.wait(({ data }) => data['act'] === 'record-released' && data['transferId'] === late, 5_000);
    expect(told.data).toMatchObject({ late: true, purpose: 'ETREAT', outcome: 'success' });
  });

  it('nobody has anchored anything of it', async () => {
    const steps = await two.rows<{ state: string }>('EE', 'SELECT state FROM notary.step WHERE transfer_id = $1', [late]);
    expect(steps).toEqual([{ state: 'pending' }]);
    expect(await trailOf(late)).toEqual([]);
  });

  it('a clinician ends and reviews an emergency; what rests on it waits its turn', async () => {
    over = await two.declare();
    const review = [
      { name: 'outcome', valueCode: 'justified' },
      { name: 'reason', valueString: 'needed' },
    ];
    await eventually('it is declared', async () => (await emergencyState(over)) === 'declared');
    expect((await two.act(two.colleague, 'review', over, review)).text).toContain('ledger.emergency-open');
    expect((await two.act(two.doctor, 'end', over)).status).toBe(200);
    await eventually('it is over', async () => (await emergencyState(over)) === 'ended');
    expect((await two.act(two.doctor, 'review', over, review)).text).toContain('request.emergency-own-review');
    expect((await two.act(two.colleague, 'review', over, review)).status).toBe(200);
    await eventually('it is reviewed', async () => (await emergencyState(over)) === 'reviewed');
    const refused = await two.ask({ purpose: 'ETREAT', emergency: over });
    expect((await two.answered(refused, 'ETREAT', 20_000)).text).toContain('request.emergency-not-declared');
  });

  it('all of it is anchored as late, in order, when the channel answers', async () => {
    await two.world.orderer.start();
    await eventually('both steps stand', async () => (await trailOf(late)).length === 2, 60_000);
    const steps = [...(await trailOf(late))].sort((a, b) => a.block - b.block || a.position - b.position);
    expect(steps.map((step) => [step.step, step.late])).toEqual([
      ['released', true],
      ['received', true],
    ]);
    await eventually('both sides are done', async () => {
      const states = [await two.state('EE', late), await two.state('PT', late)];
      return states[0] === 'closed' && states[1] === 'done';
    });
  });

  it('its receipts verify offline', async () => {
    const ee = two.at('EE');
    const token = await ee.login('regulator');
    const trust = (await ee.call('/regulator/trust', { token })).json<TrustFile & Record<string, unknown>>();
    for (const step of ['released', 'received']) {
      let text = '';
      await eventually('the receipt is proved', async () => {
        const answer = await ee.call(`/regulator/receipts/${late}?step=${step}`, { token });
        text = answer.text;
        return answer.status === 200;
      });
      const report = await verifyReceipt(text, trust, { sha256, validators: new Validators(), subtle: globalThis.crypto.subtle });
      expect(report).toMatchObject({ ok: true, leaf: { step, transferId: late } });
    }
  });

  it('declaration, end and review of the other emergency stand, too, each after what it rests on', async () => {
    const acts = async (): Promise<readonly { fn: string; state: string }[]> =>
      two.rows('PT', `SELECT fn, state FROM notary.act WHERE args LIKE '%' || $1 || '%' ORDER BY seq`, [over]);
    await eventually('all three stand', async () => (await acts()).every(({ state }) => state === 'committed'), 60_000);
    expect((await acts()).map(({ fn }) => fn).sort()).toEqual(['declare-emergency', 'end-emergency', 'review-emergency']);
  });

  it('what had waited goes on, as an ordinary transfer', async () => {
    expect((await two.answered(treatment, 'TREAT', 60_000)).status).toBe(200);
    await eventually('both steps stand', async () => (await trailOf(treatment)).length === 2);
    expect((await trailOf(treatment)).map((step) => step.late)).toEqual([false, false]);
  });
});
