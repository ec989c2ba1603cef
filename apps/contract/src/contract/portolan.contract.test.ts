import { contentKey, execute, foundingFn, keyText, keysOf, names, type StateKey, type Value, type Values } from '@portolan/ledger-rules';
import { createHash, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CertificateName } from '../testing/certificates.fixture.js';
import { answerOf, place, type MemoryChannel } from '../testing/memory-channel.js';
import { at, channel, deps, digest, emptyChannel, founding, keyRecord, kidFor, noon, permit, releaseText, uuid } from '../testing/scene.js';

const clock = { now: noon };
let fabric: MemoryChannel;
beforeEach(async () => {
  clock.now = noon;
  fabric = await channel(clock);
});

const submit = (fn: string, args: unknown, by: CertificateName = 'EE notary', time = clock.now, id = randomUUID()) =>
  fabric.submit(fn, args, by, time, id);

const hashOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Where the bytes for which an owner's entry stands lie in the public state. */
const openPlace = (publicKey: string): string => {
  const [owner = '', ...key] = publicKey.split('/');
  const { bytes } = fabric.state.get(place(`_implicit_org_${owner}`, key.join('/')))!;
  return contentKey(publicKey, hashOf(bytes));
};

describe('an act on Fabric', () => {
  it('writes its record publicly and into its owner’s collection, the same bytes, and reads back as that record', async () => {
    expect(await submit('put-permit', permit)).toEqual({});
    const name = names.permit('EE', permit.id);
    const open = fabric.state.get(place('', openPlace(`EE/${name.key}`)));
    expect(open?.bytes).toEqual(fabric.state.get(place('_implicit_org_EE', name.key))?.bytes);
    expect(JSON.parse(await fabric.ask('read-record', 'EE', name.key))).toEqual({ v: 1, by: 'EE', at: noon, record: permit });
    expect(await fabric.ask('read-record', 'PT', name.key)).toBe('');
  });

  it('judges the steps of a batch and answers with their verdicts', async () => {
    await submit('put-permit', permit);
    const steps = [releaseText(10), releaseText(11, { to: 'BE' }), releaseText(12)].map((leaf) => ({ leaf }));
    expect(await submit('anchor-batch', { v: 1, n: 0, steps })).toEqual({
      verdicts: [
        { index: 0, ok: true, position: 0 },
        { index: 1, ok: false, code: 'ledger.permit-foreign' },
        { index: 2, ok: true, position: 1 },
      ],
    });
  });

  it('is one act however often its id is sent, also when two are on their way at once', async () => {
    const id = randomUUID();
    const texts = ['put-permit', id, JSON.stringify(permit)];
    const [first, second] = [await simulate(texts), await simulate(texts)];
    expect([fabric.commit(first), fabric.commit(second)]).toEqual(['VALID', 'MVCC_READ_CONFLICT']);
    expect(await fabric.ask('transaction-known', 'EE', id)).toBe('true');
    expect(await fabric.ask('transaction-known', 'PT', id)).toBe('false');
    expect(await submit('put-permit', { ...permit, id: uuid(2) }, 'EE notary', noon, id)).toEqual({
      code: 'orderer.transaction-duplicate',
      where: 'id',
    });
  });

  it('conflicts with what ended its permit meanwhile', async () => {
    await submit('put-permit', permit);
    const release = await simulate(['anchor-batch', randomUUID(), JSON.stringify({ v: 1, n: 0, steps: [{ leaf: releaseText(10) }] })]);
    await submit('end-permit', { v: 1, permitId: permit.id });
    expect(fabric.commit(release)).toBe('MVCC_READ_CONFLICT');
  });

  it('gives the same bytes at every endorser', async () => {
    const texts = ['put-permit', randomUUID(), JSON.stringify(permit)];
    const [one, other] = [await simulate(texts), await simulate(texts)];
    expect([...one.writes]).toEqual([...other.writes]);
    expect(one.response).toEqual(other.response);
  });
});

const simulate = (texts: readonly string[], by: CertificateName = 'EE notary', org?: string) =>
  fabric.simulate({ by, time: clock.now, texts, ...(org === undefined ? {} : { org }) });

describe('the word of a record is its owner’s alone', () => {
  it('does not believe a public entry that altered chaincode wrote', async () => {
    const forged = { v: 1, by: 'EE', at: noon, record: permit };
    const bytes = Buffer.from(JSON.stringify(forged));
    const key = contentKey(`EE/${names.permit('EE', permit.id).key}`, hashOf(bytes));
    fabric.state.set(place('', key), { bytes, version: 999 });
    const answer = await submit('anchor-batch', { v: 1, n: 0, steps: [{ leaf: releaseText(10) }] });
    expect(answer).toMatchObject({ verdicts: [{ ok: false, code: 'ledger.permit-unknown' }] });
    expect(await fabric.ask('read-record', 'EE', names.permit('EE', permit.id).key)).toBe('');
  });

  it('writes where nobody could have written before: under the hash of its bytes, which hold their time', async () => {
    const second = { ...permit, id: uuid(2) };
    for (const one of [permit, second]) expect(await submit('put-permit', one)).toEqual({});
    const places = [permit, second].map(({ id }) => openPlace(`EE/${names.permit('EE', id).key}`));
    for (const one of places) expect(fabric.state.has(place('', one))).toBe(true);
    expect(new Set(places.map((one) => one.split('/').at(-1))).size).toBe(2);
  });

  it('gives out no bytes but those of the owner’s hash', async () => {
    expect(await submit('put-permit', permit)).toEqual({});
    const key = `EE/${names.permit('EE', permit.id).key}`;
    fabric.state.set(place('', openPlace(key)), { bytes: Buffer.from('{"v":1,"by":"EE","record":{}}'), version: 999 });
    expect(await fabric.ask('read-record', 'EE', names.permit('EE', permit.id).key)).toBe('');
    expect(await submit('anchor-batch', { v: 1, n: 0, steps: [{ leaf: releaseText(10) }] })).toMatchObject({
      verdicts: [{ ok: false, code: 'ledger.record-forged' }],
    });
  });

  it('lets nobody but its owner write a public key again', async () => {
    await submit('put-permit', permit);
    expect(fabric.policies.get(openPlace(`EE/${names.permit('EE', permit.id).key}`))).toEqual(['EE']);
    expect([...fabric.policies.keys()].filter((key) => !/^(?:EE|PT|BE|DE|REG)\//u.test(key))).toEqual([]);
  });

  it('writes nothing but the head with a head, which a receipt’s verifier demands', async () => {
    await submit('anchor-batch', { v: 1, n: 0, steps: [{ leaf: 'nonsense' }] });
    const { record } = JSON.parse(await fabric.ask('read-record', 'EE', 'batch/0')) as { record: { root: string } };
    const { root } = record;
    const args = { v: 1, org: 'EE', seq: 0, size: 0, root, consistency: [], batches: [{ n: 0, root, count: 0 }] };
    expect(await submit('put-head', args)).toEqual({});
    expect(['EE/batch/0', 'EE/head/0'].map((key) => fabric.policies.has(openPlace(key)))).toEqual([true, false]);
  });

  it('does not take an act’s id for used because somebody else’s collection says so', async () => {
    const id = randomUUID();
    fabric.state.set(place('_implicit_org_PT', `tx/${id}`), { bytes: Buffer.from('1'), version: 999 });
    expect(await submit('put-permit', permit, 'EE notary', noon, id)).toEqual({});
  });
});

interface Refused {
  readonly why: string;
  readonly fn?: string;
  readonly args?: unknown;
  readonly by?: CertificateName;
  readonly time?: string;
  readonly given?: () => Promise<unknown>;
  readonly is: { readonly code: string; readonly where?: unknown };
}

const wide = 'x'.repeat(40_000);
const refusals: Refused[] = [
  { why: 'no such act', fn: 'delete-everything', is: { code: 'ledger.rule-unknown' } },
  { why: 'a name every object has', fn: 'constructor', is: { code: 'ledger.rule-unknown' } },
  { why: 'a name the contract has', fn: 'createContext', is: { code: 'ledger.rule-unknown' } },
  { why: 'arguments of another schema', args: { v: 1 }, is: { code: 'ledger.args-invalid' } },
  { why: 'arguments that are too long', args: { ...permit, commitment: wide }, is: { code: 'ledger.args-invalid', where: 'put-permit' } },
  { why: 'a certificate without the attribute', by: 'EE nobody', is: { code: 'ledger.role-refused', where: 'signer' } },
  { why: 'an attribute of another kind', by: 'EE auditor', is: { code: 'ledger.role-refused', where: 'signer' } },
  { why: 'an act of the other role', by: 'EE governance', is: { code: 'ledger.role-refused', where: 'put-permit' } },
  { why: 'a key that was never registered', by: 'EE second notary', is: { code: 'ledger.key-unknown', where: 'signer' } },
  { why: 'a key on another curve', by: 'EE P-384', is: { code: 'ledger.key-unknown', where: 'signer' } },
  { why: 'an organisation that takes no part', by: 'FI notary', is: { code: 'ledger.participant-unknown', where: 'signer' } },
  { why: 'a record of another country', by: 'PT notary', is: { code: 'ledger.not-owner' } },
  { why: 'a time ahead of the endorser’s', time: at('12:03'), is: { code: 'orderer.time-window', where: 'time' } },
  { why: 'a time behind the endorser’s', time: at('11:57'), is: { code: 'orderer.time-window', where: 'time' } },
  {
    why: 'a key that was ended, whatever certificate still carries it',
    given: () => submit('end-key', { v: 1, org: 'EE', kid: kidFor('EE notary') }, 'EE governance'),
    is: { code: 'ledger.key-not-valid', where: 'signer' },
  },
  {
    why: 'a notary of an organisation that left',
    given: () => submit('end-participant', { v: 1, org: 'EE' }, 'EE governance'),
    is: { code: 'ledger.participant-unknown', where: 'signer' },
  },
  {
    why: 'a governance key that was never registered, for an organisation that is',
    fn: foundingFn,
    args: founding('EE', 'FI governance'),
    by: 'EE governance',
    is: { code: 'ledger.key-mismatch' },
  },
  {
    why: 'an organisation that registers itself again',
    fn: foundingFn,
    args: founding('EE', 'EE governance'),
    by: 'EE governance',
    is: { code: 'ledger.already-written' },
  },
  {
    why: 'an organisation that registers another',
    fn: foundingFn,
    args: founding('FI', 'EE governance'),
    by: 'EE governance',
    is: { code: 'ledger.not-owner' },
  },
  {
    why: 'a notary that registers its organisation',
    fn: foundingFn,
    args: founding('FI', 'FI notary'),
    by: 'FI notary',
    is: { code: 'ledger.role-refused' },
  },
];

describe('a refusal is one JSON text of code and place, and writes nothing', () => {
  it.each(refusals)('$why', async ({ fn = 'put-permit', args = permit, by = 'EE notary', time = noon, given, is }) => {
    await given?.();
    const simulation = await fabric.simulate({ by, time, texts: [fn, randomUUID(), JSON.stringify(args)] });
    expect(answerOf(simulation.response)).toMatchObject(is);
    expect(Object.keys(answerOf(simulation.response) as object)).toEqual(['code', 'where']);
    expect(fabric.commit(simulation)).toBe('not endorsed');
    expect(simulation.writes.size).toBe(0);
  });

  const texts: [string, string[]][] = [
    ['no arguments', ['put-permit']],
    ['one argument', ['put-permit', uuid(1)]],
    ['three arguments', ['put-permit', uuid(1), '{}', '{}']],
    ['an id that is none', ['put-permit', 'x'.repeat(36), JSON.stringify(permit)]],
    ['an endless id', ['put-permit', 'a'.repeat(100_000), JSON.stringify(permit)]],
    ['no JSON', ['put-permit', uuid(1), '{']],
    ['JSON a thousand levels deep', ['put-permit', uuid(1), '['.repeat(1000) + ']'.repeat(1000)]],
    ['a query for an endless key', ['read-record', 'EE', 'k'.repeat(10_000)]],
    ['a query for nothing', ['read-record', 'EE', '']],
    ['a query for no id', ['transaction-known', 'EE', 'nothing']],
  ];
  it.each(texts)('%s', async (_, args) => {
    const { response, reads } = await simulate(args);
    expect(answerOf(response)).toMatchObject({ code: 'ledger.args-invalid' });
    expect(reads.size).toBe(0);
  });

  it('says of what nobody foresaw only that it happened', async () => {
    fabric.state.get = () => {
      throw new Error('of a person called Mari');
    };
    expect(answerOf((await simulate(['put-permit', uuid(1), JSON.stringify(permit)])).response)).toEqual({
      code: 'runtime.unexpected',
      where: 'put-permit',
    });
  });
});

describe('an organisation that the channel’s configuration lists', () => {
  it('founds itself with the key that signs, and then acts under keys that it registers', async () => {
    fabric = emptyChannel(clock);
    expect(await submit('put-key', keyRecord('FI', 'FI notary', 'ledger'), 'FI governance')).toMatchObject({
      code: 'ledger.participant-unknown',
    });
    expect(await submit(foundingFn, founding('FI', 'FI governance'), 'FI governance')).toEqual({});
    expect(await submit('put-key', keyRecord('FI', 'FI notary', 'ledger'), 'FI governance')).toEqual({});
    expect(await submit('put-consent', { v: 1, id: uuid(3), custodian: 'FI', commitment: digest }, 'FI notary')).toEqual({});
  });

  it('cannot begin again once it has left', async () => {
    await submit('end-participant', { v: 1, org: 'BE' }, 'BE governance');
    expect(await submit(foundingFn, founding('BE', 'BE governance'), 'BE governance')).toMatchObject({ code: 'ledger.already-written' });
  });

  it('acts under the organisation of its MSP, whatever its certificate says', async () => {
    const { response } = await simulate(['put-permit', uuid(1), JSON.stringify(permit)], 'EE notary', 'PT');
    expect(answerOf(response)).toEqual({ code: 'ledger.key-unknown', where: 'signer' });
  });
});

describe('the contract decides as libs/ledger-rules does', () => {
  it('in a story of acts, accepted and refused, to the same state', async () => {
    const state = new Map<string, Value>();
    const read = async (keys: readonly StateKey[]): Promise<Values> =>
      new Map(keys.flatMap((key): [string, Value][] => (state.has(keyText(key)) ? [[keyText(key), state.get(keyText(key))!]] : [])));
    for (const name of ['EE', 'PT', 'BE', 'DE'].map(names.participant))
      for (const key of keysOf(name)) state.set(keyText(key), await valueIn(key));
    for (const [fn, args, by] of story) {
      const [org, role] = by.split(' ') as [string, 'notary' | 'governance'];
      const decision = await execute({ fn, args, caller: { org, role }, time: noon }, read, deps);
      const { code, where, verdicts } = (await submit(fn, args, by)) as Record<string, unknown>;
      expect(code === undefined ? { ok: true, ...(verdicts === undefined ? {} : { verdicts }) } : { ok: false, code, where }).toEqual(
        decision.ok ? { ok: true, ...(decision.verdicts === undefined ? {} : { verdicts: decision.verdicts }) } : decision,
      );
      if (!decision.ok) continue;
      for (const { key } of decision.writes) {
        state.set(keyText(key), await valueIn(key));
        expect(state.get(keyText(key))).toEqual(valueOf(key, decision.writes));
      }
    }
    expect(state.size).toBeGreaterThan(20);
  });
});

const batch = (n: number, ...leaves: string[]): object => ({ v: 1, n, steps: leaves.map((leaf) => ({ leaf })) });
const suspension = { v: 1, id: uuid(20), by: 'BE', org: 'EE', caseId: uuid(21) };
const story: [string, unknown, CertificateName][] = [
  ['put-consent', { v: 1, id: uuid(7), custodian: 'EE', commitment: digest }, 'EE notary'],
  ['put-permit', permit, 'EE notary'],
  ['put-permit', permit, 'EE notary'],
  ['put-permit', { ...permit, id: uuid(2), recipient: 'FI' }, 'EE notary'],
  ['anchor-batch', batch(1, releaseText(10)), 'EE notary'],
  ['anchor-batch', batch(0, releaseText(10), releaseText(10), 'nonsense', releaseText(11, { by: 'PT' })), 'EE notary'],
  ['anchor-batch', batch(0, releaseText(12)), 'EE notary'],
  ['suspend', suspension, 'BE governance'],
  ['suspend', { ...suspension, id: uuid(22) }, 'BE governance'],
  ['end-suspension', { v: 1, id: suspension.id, by: 'BE', org: 'EE' }, 'BE governance'],
  ['suspend', { ...suspension, id: uuid(23) }, 'BE governance'],
  ['end-permit', { v: 1, permitId: permit.id }, 'EE notary'],
  ['anchor-batch', batch(1, releaseText(13)), 'EE notary'],
  ['put-policy', { v: 1, org: 'EE', hash: digest }, 'EE governance'],
  ['put-head', { v: 1, org: 'EE', seq: 0, size: 0, root: digest, consistency: [], batches: [] }, 'EE notary'],
];

async function valueIn(key: StateKey): Promise<Value> {
  const where = key.space === 'public' ? place('', openPlace(key.key)) : place(`_implicit_org_${key.owner}`, key.key);
  return valueOf(key, [{ key, bytes: fabric.state.get(where)!.bytes }]);
}

function valueOf(key: StateKey, writes: readonly { key: StateKey; bytes: Uint8Array }[]): Value {
  const bytes = Buffer.from(writes.find((write) => keyText(write.key) === keyText(key))!.bytes);
  return key.space === 'public' ? { bytes } : { hash: Buffer.from(deps.sha256(bytes)).toString('hex') };
}
