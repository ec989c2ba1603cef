import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CountryFolders, FileKeyVault, SystemClock } from '@portolan/nest/certificates';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runHere, type Outcome } from '../test-support/run-here.js';

/* Two countries as their operators work: EE lets PT in, each on its own machine; what travels between them are files. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-cert-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let n = 0;
let ee: string;
let pt: string;
beforeEach(async () => {
  n += 1;
  [ee, pt] = [`ee-${n}`, `pt-${n}`];
  await ok('authority', '--home', ee, '--org', 'EE');
  const now = Date.now();
  const validity = { notBefore: new Date(now - 1000).toISOString(), notAfter: new Date(now + 86_400_000).toISOString() };
  await new FileKeyVault({ folder: new CountryFolders(join(folder, pt)).keys('exchange'), clock: new SystemClock() }).generate(
    'tls',
    validity,
  );
});

const cert = (...args: string[]): Promise<Outcome> => runHere(['cert', ...args], { folder });
async function ok(...args: string[]): Promise<Outcome> {
  const outcome = await cert(...args);
  expect(outcome).toMatchObject({ exit: 0 });
  return outcome;
}
const keep = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return name;
};
const json = ({ out }: Outcome): Record<string, unknown> => JSON.parse(out) as Record<string, unknown>;

async function letIn(): Promise<{ request: string; serial: string }> {
  const request = keep(`${pt}.csr`, (await ok('request', 'partner', '--home', pt)).out);
  const issued = json(await ok('issue', 'partner', '--home', ee, '--org', 'PT', '--request', request, '--json'));
  return { request, serial: String(issued['serial']) };
}

describe('an operator', () => {
  it('lets a partner in by its request, and the partner puts the answer in force', async () => {
    const { request } = await letIn();
    const again = await ok('issue', 'partner', '--home', ee, '--org', 'PT', '--request', request, '--out', `${pt}-answer`);
    expect(again.notes).toMatch(/^nothing to do: PT-/);
    const files = ['--certificate', `${pt}-answer/certificate.pem`, '--authority', `${pt}-answer/authority.pem`];
    expect((await ok('import', 'partner', '--home', pt, '--org', 'EE', ...files)).notes).toMatch(/our key at EE: PT-.*is in force/);
    expect((await ok('list', '--home', pt)).out).toMatch(/^live .*396 d.*partner.*PT-.*EE /m);
    // The same answer is no certificate of another country's key.
    expect(await cert('import', 'partner', '--home', ee, '--org', 'EE', ...files)).toMatchObject({
      exit: 1,
      notes: expect.stringContaining('x509.certificate-invalid'),
    });
  });

  it('is told by an exit code what ends, renews it from a daily job, and is told once more that nothing does', async () => {
    await ok('issue', 'inbox', '--home', ee, '--host', 'inbox.ee.example', '--days', '20');
    const due = await cert('list', '--home', ee, '--within', '30');
    expect(due).toMatchObject({ exit: 1, notes: expect.stringContaining('1 to renew') });
    expect(due.out).toMatch(/^live, renew +19 d +server +inbox EE/m);
    expect((await ok('renew', 'inbox', '--home', ee)).notes).toMatch(/^issued inbox EE/);
    expect((await ok('renew', 'inbox', '--home', ee)).notes).toMatch(/^nothing to do: inbox EE/);
    const after = await ok('list', '--home', ee, '--within', '30', '--json');
    expect((json(after)['certificates'] as { replaced: boolean }[]).filter(({ replaced }) => replaced)).toHaveLength(1);
  });

  it('revokes, and is told what was done and who has to do what', async () => {
    const { serial } = await letIn();
    const away = await ok('revoke', serial, '--home', ee, '--reason', 'keyCompromise');
    expect(away.out).toMatch(/^done {5}revoked: PT-.*serial/m);
    expect(away.out).toMatch(/^remains {2}here: bring .*refused\.json to <home>\/exchange\/inbox/m);
    expect(away.out).toMatch(/^remains {2}PT: end key \S+ on the channel/m);
    await ok('issue', 'inbox', '--home', ee);
    const here = await ok('revoke', serial, '--home', ee, '--reason', 'keyCompromise');
    expect(here.out).toMatch(/^done {5}was revoked before/m);
    expect(here.out).toMatch(/^done {5}our door refuses PT-/m);
    expect(here.out).not.toContain('bring');
    const lists = [json(await ok('revocations', '--home', ee, '--json')), json(await ok('revocations', '--home', ee, '--json'))];
    expect(Number(lists[1]?.['listNumber'])).toBeGreaterThan(Number(lists[0]?.['listNumber']));
  });

  it('moves an end of TLS as PKCS#12, whose passphrase stands in no command line', async () => {
    await ok('issue', 'inbox', '--home', ee);
    const secret = keep('secret', 'a long enough phrase\n');
    await ok('export', 'inbox', '--home', ee, '--out', `${ee}.p12`, '--passphrase-file', secret);
    expect(statSync(join(folder, `${ee}.p12`)).mode & 0o777).toBe(0o600);
    await ok('import', 'inbox', '--home', `${ee}-copy`, '--file', `${ee}.p12`, '--passphrase-file', secret);
    const key = (home: string): string => readFileSync(join(folder, home, 'exchange', 'inbox', 'key.pem'), 'utf8');
    expect(key(`${ee}-copy`)).toBe(key(ee));
    keep('wrong', 'another phrase');
    expect(await cert('import', 'inbox', '--home', ee, '--file', `${ee}.p12`, '--passphrase-file', 'wrong')).toMatchObject({
      exit: 1,
      notes: expect.stringContaining('x509.pkcs12-unreadable'),
    });
    expect(await cert('export', 'inbox', '--home', ee, '--out', 'x.p12', '--legacy', '--passphrase-file', secret)).toMatchObject({
      exit: 1,
      notes: expect.stringContaining('warning'),
    });
  });

  it('has the key of an end made where it is used, and the certificate where the authority is', async () => {
    const request = keep(`${ee}.csr`, (await ok('request', 'inbox', '--home', `${ee}-node`, '--host', 'inbox.ee.example')).out);
    await ok('issue', 'inbox', '--home', ee, '--request', request, '--host', 'inbox.ee.example', '--out', `${ee}-answer`);
    const answer = ['--certificate', `${ee}-answer/certificate.pem`, '--authority', `${ee}-answer/authority.pem`];
    await ok('import', 'inbox', '--home', `${ee}-node`, ...answer);
    expect((await ok('list', '--home', `${ee}-node`)).out).toContain('inbox EE');
    expect(await cert('import', 'inbox', '--home', `${ee}-node`, ...answer)).toMatchObject({ exit: 1 });
  });
});

describe('what cannot be done', () => {
  it.each([
    ['without the authority', ['issue', 'inbox', '--home', 'nowhere'], 1, /keys\.authority-missing/],
    ['of what was never issued', ['revoke', 'abc', '--home', 'nowhere', '--reason', 'superseded'], 1, /keys\.certificate-unknown/],
    ['for nobody', ['issue', 'partner', '--home', 'nowhere'], 2, /--org CC/],
    ['of no country', ['list'], 2, /--home DIR/],
    ['with a host that is none', ['issue', 'inbox', '--home', 'nowhere', '--host', '*.example'], 2, /without wildcards/],
    ['without a reason', ['revoke', 'abc', '--home', 'nowhere'], 2, /--reason/],
    ['with a passphrase as an argument', ['export', 'inbox', '--home', 'nowhere', '--out', 'x', '--passphrase', 'x'], 2, /unknown option/],
    ['for days that are none', ['issue', 'inbox', '--home', 'nowhere', '--days', '-1'], 2, /whole number/],
  ])('%s', async (_what, args, exit, says) => {
    const outcome = await cert(...args);
    expect(outcome.exit).toBe(exit);
    expect(outcome.notes).toMatch(says);
  });

  it('without anybody to type the passphrase', async () => {
    await ok('issue', 'inbox', '--home', ee);
    expect(await cert('export', 'inbox', '--home', ee, '--out', 'x.p12')).toMatchObject({
      exit: 2,
      notes: expect.stringContaining('--passphrase-file'),
    });
  });
});
