// The commands at real nodes: two countries, a process a role, the orderer started by `portolan node --orderer`.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { CountryFolders, findTlsIdentity } from '@portolan/nest';
import { eventually, repository, sendMllp, World } from '@portolan/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from './doctor/finding.js';
import { runHere, type Outcome } from './test-support/run-here.js';

const fixtures = join(repository, 'libs/formats/fixtures/hl7v2');
const damaged = readFileSync(join(fixtures, 'pt-adt-a08-damaged.hl7'));

let folder: string;
let world: World;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-cli-world-'));
  chmodSync(folder, 0o755);
  world = await World.start({ folder, roles: 'apart', countries: ['EE', 'PT'], fsync: false, sink: () => undefined });
});
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]): Promise<Outcome> => runHere([...args, '--folder', folder], { folder });
const base = (country: string): string => `http://127.0.0.1:${world.country(country).config.http.port}`;

describe('portolan token and acting', () => {
  const status = async (url: string, token: string, acting?: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}`, ...(acting === undefined ? {} : { 'portolan-acting-professional': acting }) };
    return (await fetch(url, { headers })).status;
  };
  it('log a person in: her node knows her, and no other country does', async () => {
    await sendMllp(world.country('EE').config.mllp, readFileSync(join(fixtures, 'ee-adt-a01.hl7')));
    const { exit, out } = await run('token', '--as', 'mari@ee');
    expect(exit).toBe(0);
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(await status(`${base('EE')}/person/grounds`, out)).toBe(200);
    expect(await status(`${base('PT')}/person/grounds`, out)).toBe(401);
    expect(await status(`${base('EE')}/regulator/trail`, out)).toBe(403);
  });
  it('speak for a hospital, whose system names who acts', async () => {
    const [{ out: token }, { out: acting }] = [await run('token', '--system', 'PT'), await run('acting', '--as', 'doctor-pt@PT')];
    expect(await status(`${base('PT')}/fhir/Bundle`, token, acting)).toBe(200);
    expect(await status(`${base('PT')}/fhir/Bundle`, token)).toBeGreaterThanOrEqual(400);
  });
  it('know nobody else', async () => {
    expect(await run('token', '--as', 'nobody@EE')).toMatchObject({
      exit: 1,
      out: '',
      notes: expect.stringContaining('auth.account-unknown'),
    });
    expect(await run('acting', '--as', 'doctor-pt@EE')).toMatchObject({
      exit: 1,
      out: '',
      notes: expect.stringContaining('cli.clinician-unknown'),
    });
  });
});

describe('portolan terms', () => {
  it('lists the codes that a country asks about, answers one, and has the message translated again', async () => {
    expect(await run('terms', 'list', '--country', 'EE')).toEqual({ exit: 0, out: '', notes: 'no open questions' });
    const known = readFileSync(join(fixtures, 'ee-oru-r01-chemistry.hl7'), 'utf8');
    await sendMllp(world.country('EE').config.mllp, Buffer.from(known.replace('|KREA^', '|UUSKOOD^')));
    const [question] = JSON.parse((await run('terms', 'list', '--country', 'EE', '--json')).out) as { system: string; map: string }[];
    expect(question).toMatchObject({ map: 'observation-codes', code: 'UUSKOOD', seen: 1 });
    const about = ['--country', 'EE', '--map', question?.map ?? '', '--system', question?.system ?? ''];
    const answer = (to: string): Promise<Outcome> => run('terms', 'answer', 'UUSKOOD', ...about, '--to', to, '--equivalence', 'equivalent');
    expect(await answer('http://loinc.org|2160-1')).toMatchObject({ exit: 1, notes: expect.stringContaining('operator.mapping-invalid') });
    expect(await answer('http://loinc.org|2160-0')).toMatchObject({ exit: 0, out: 'answered UUSKOOD' });
    expect(await run('terms', 'list', '--country', 'EE')).toMatchObject({ out: '' });
    expect(await run('terms', 'again', '--country', 'EE')).toMatchObject({ exit: 0, out: 'translated again 1, left as they were 0' });
    expect(await run('terms', 'again', '--country', 'EE', '--json')).toMatchObject({ out: '{"translated":0,"refused":0}' });
  });
});

describe('portolan replay', () => {
  const list = async (): Promise<{ id: string; code: string }[]> =>
    JSON.parse((await run('replay', '--country', 'PT', '--json')).out) as { id: string; code: string }[];
  /** Sends a damaged message and answers with its reject. */
  const reject = async (message: Uint8Array): Promise<string> => {
    const before = new Set((await list()).map(({ id }) => id));
    expect(await sendMllp(world.country('PT').config.mllp, message)).toMatch(/\rMSA\|AE\|/);
    return (await list()).find(({ id }) => !before.has(id))?.id ?? expect.fail('no reject was kept');
  };
  const another = (controlId: string): Buffer =>
    Buffer.from(damaged.toString('latin1').replace(/^((?:[^|]*\|){9})[^|]*/, `$1${controlId}`), 'latin1');

  it('says that there is nothing to do', async () => {
    expect(await run('replay', '--country', 'PT')).toEqual({ exit: 0, out: '', notes: 'no open rejects' });
    expect(await run('replay', '--country', 'PT', '--dead-letters')).toEqual({ exit: 0, out: '', notes: 'no dead letters' });
    expect((await run('replay', '--country', 'PT', '--dead-letters', '--json')).out).toBe('[]');
  });
  it('lists a reject, gives its original, takes it repaired, once', async () => {
    const id = await reject(damaged);
    expect((await run('replay', '--country', 'PT')).out).toMatch(new RegExp(`^id .*\\n${id} .*translate\\.`));

    expect(await run('replay', id, '--country', 'PT', '--save', 'original.hl7')).toMatchObject({ exit: 0 });
    expect(readFileSync(join(folder, 'original.hl7')).equals(damaged)).toBe(true);
    expect(await run('replay', id, '--country', 'PT', '--save', 'original.hl7')).toMatchObject({
      exit: 1,
      notes: expect.stringContaining('cli.output-unwritable'),
    });

    const again = await run('replay', id, '--country', 'PT');
    expect(again).toMatchObject({ exit: 1, out: `refused again ${id}`, notes: expect.stringMatching(/^translate\.[a-z-]+: .*Next: /) });
    expect(await list()).toHaveLength(1);

    const repaired = join(fixtures, 'pt-adt-a08-repaired.hl7');
    expect(await run('replay', id, '--country', 'PT', '--file', repaired)).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^stored [0-9a-f-]{36}$/),
    });
    expect(await list()).toEqual([]);
    expect(await run('replay', id, '--country', 'PT', '--file', repaired)).toMatchObject({
      exit: 1,
      notes: expect.stringContaining('operator.reject-closed'),
    });
  });
  it('gives a reject up with a reason', async () => {
    const id = await reject(another('PT-DISCARD-1'));
    expect(await run('replay', id, '--country', 'PT', '--discard', '--reason', 'sent by a test')).toEqual({
      exit: 0,
      out: `discarded ${id}`,
      notes: '',
    });
    expect(await list()).toEqual([]);
  });
  it.each([
    ['00000000-0000-4000-8000-000000000000', 'operator.reject-unknown'],
    ['../health', 'operator.id-invalid'],
  ])('says of %s that it is %s', async (id, code) => {
    expect(await run('replay', id, '--country', 'PT')).toMatchObject({ exit: 1, out: '', notes: expect.stringContaining(code) });
  });

  it('is what doctor sends to', async () => {
    const id = await reject(another('PT-DOCTOR-1'));
    expect(await wrong('PT')).toEqual([
      { check: 'PT health rejects', what: expect.stringMatching(/^open 1, /), next: expect.stringContaining('portolan replay') },
    ]);
    await run('replay', id, '--country', 'PT', '--discard', '--reason', 'sent by a test');
    expect(await wrong('PT')).toEqual([]);
  });
});

/** What doctor finds wrong with a country. */
async function wrong(country: string): Promise<Omit<Finding, 'ok'>[]> {
  const { exit, out } = await run('doctor', '--country', country, '--json');
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  expect(exit).toBe(findings.every(({ ok }) => ok) ? 0 : 1);
  return findings.filter(({ ok }) => !ok).map(({ check, what, next }) => ({ check, what, next }));
}

describe('portolan doctor and node', () => {
  it('find nothing wrong with every country of the folder', async () => {
    const { exit, out } = await run('doctor');
    expect(out.split('\n').filter((line) => line.startsWith('WRONG'))).toEqual([]);
    expect(exit).toBe(0);
    for (const country of ['EE', 'PT'])
      for (const check of ['orderer', 'clock', 'database edge', 'health ledger', 'certificate inbox'])
        expect(out).toMatch(new RegExp(`^ok +${country} ${check} `, 'm'));
    expect(out).toMatch(/^ok +EE inbox at PT +lets us in at 127\.0\.0\.1:\d+$/m);
  });
  it('name a partner whose inbox is away, or does not let us in', async () => {
    await world.process('PT', 'exchange').stop();
    const away = await wrong('EE');
    expect(away).toEqual([
      { check: 'EE inbox at PT', what: expect.stringMatching(/^127\.0\.0\.1:\d+: ECONNREFUSED$/), next: expect.stringContaining('PT') },
    ]);

    const { config } = world.country('EE');
    // A door that trusts another authority: that of our own roles, which issued PT nothing.
    const door = await strangeDoor(config.home);
    try {
      const partners = config.partners.map((one) => (one.country === 'PT' ? { ...one, inbox: door.at } : one));
      writeFileSync(join(folder, 'strange.json'), JSON.stringify({ ...config, partners }));
      const { out } = await runHere(['doctor', '--config', 'strange.json', '--json'], { folder });
      const { findings } = JSON.parse(out) as { findings: Finding[] };
      expect(findings.find(({ check }) => check === 'EE inbox at PT')).toMatchObject({
        ok: false,
        what: expect.stringMatching(/CERT|SSL|TLS/),
      });
    } finally {
      await door.close();
    }
    await world.process('PT', 'exchange').start();
    await eventually('the inbox lets us in again', async () => (await wrong('EE')).length === 0);
  });
  it('miss a role that is not up, start it, and stop it at a signal', async () => {
    await world.process('EE', 'edge').stop();
    const missing = await wrong('EE');
    expect(missing.map(({ check }) => check)).toEqual(expect.arrayContaining(['EE node', 'EE port http', 'EE port mllp']));
    expect(missing.every(({ check }) => !check.startsWith('EE database') && !check.startsWith('EE key'))).toBe(true);

    const edge = portolan('node', '--country', 'EE', '--role', 'edge', '--folder', folder);
    try {
      expect(await firstLine(edge)).toBe('ready edge');
      await eventually('the edge is up', async () => (await wrong('EE')).length === 0);
    } finally {
      edge.kill('SIGTERM');
    }
    expect(await once(edge, 'exit')).toEqual([0, null]);
    expect((await wrong('EE')).map(({ check }) => check)).toContain('EE node');
  });
  it('refuse a second node at the same ports, and say why', async () => {
    const second = portolan('node', '--country', 'PT', '--role', 'edge', '--folder', folder);
    const said = text(second.stderr);
    expect(await once(second, 'exit')).toEqual([1, null]);
    expect(await said).toMatch(/^portolan: cli\.port-taken: .* at 127\.0\.0\.1:\d+\. Next: /m);
  });
  it('refuse one role of a node that is configured together', async () => {
    const { config } = world.country('PT');
    writeFileSync(join(folder, 'together.json'), JSON.stringify({ ...config, transport: { kind: 'together' } }));
    expect(await runHere(['node', '--config', 'together.json', '--role', 'edge'], { folder })).toMatchObject({
      exit: 1,
      notes: expect.stringContaining('cli.roles-together'),
    });
  });
});

/** A server with the certificate of our own edge towards its country's roles. */
async function strangeDoor(home: string): Promise<{ at: { host: string; port: number }; close: () => Promise<void> }> {
  const found = await findTlsIdentity(new CountryFolders(home).internal('edge'));
  if (found === undefined) throw new Error('the edge has no identity');
  const { privateKeyPem: key, certificatePem: cert, authorityPem: ca } = found;
  const server = createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: true });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { at: { host: '127.0.0.1', port }, close: () => new Promise((resolve) => void server.close(() => resolve())) };
}

function portolan(...args: string[]): ChildProcess {
  const main = join(repository, 'apps/cli/dist/main.js');
  expect(existsSync(main)).toBe(true);
  return spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function text(stream: ChildProcess['stderr']): Promise<string> {
  const chunks: string[] = [];
  for await (const chunk of stream ?? []) chunks.push(String(chunk));
  return chunks.join('');
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of stdout ?? []) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0] ?? '';
}
