import { PortolanError } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { clockFinding, offsetFinding } from './clock.js';
import { bad, good, looked } from './finding.js';
import { lasting } from './lasting.js';
import { nodeVersionFinding } from './machine.checks.js';

describe('what doctor could not look at is a finding', () => {
  const look = (error: Error): ReturnType<typeof looked> => looked('EE x', 'mend it', () => Promise.reject(error));
  it('with the error’s own next step where it is one of ours', async () => {
    const [found] = await look(new PortolanError('store.migrations-missing', 'schema edge', 'AddViews'));
    expect(found).toMatchObject({
      check: 'EE x',
      ok: false,
      what: expect.stringMatching(/^store\.migrations-missing: .* at schema edge \(AddViews\)$/),
    });
    const [open] = await look(new PortolanError('keys.too-open', 'key'));
    expect(open?.next).toMatch(/^Take read rights from others/);
    // The registry sends to doctor here, who cannot send to itself.
    expect(found?.next).toBe('mend it');
  });
  it('with the system’s word, and never the message of another', async () => {
    expect(await look(Object.assign(new Error('secret'), { code: 'EACCES' }))).toEqual([
      bad('EE x', 'cannot be looked at (EACCES)', 'mend it'),
    ]);
    expect(await look(new RangeError('secret'))).toEqual([bad('EE x', 'cannot be looked at (RangeError)', 'mend it')]);
  });
  it('and what it finds stands, one or several', async () => {
    expect(await looked('x', '', () => Promise.resolve(good('x', 'fine')))).toEqual([good('x', 'fine')]);
    expect(await looked('x', '', () => Promise.resolve([good('x', 'fine'), bad('y', 'not', 'mend')]))).toHaveLength(2);
  });
});

it.each([
  ['24.11.0', true],
  ['24.21.0', true],
  ['24.10.9', false],
  ['20.19.0', false],
  ['25.0.0', false],
])('Node %s: %s', (version, ok) => expect(nodeVersionFinding(version).ok).toBe(ok));

describe('a key or certificate', () => {
  const now = Date.parse('2026-11-21T10:00:00.000Z');
  it.each([
    ['2027-11-21T10:00:00.000Z', true, '365 days left'],
    ['2026-12-21T10:00:00.000Z', true, '30 days left'],
    ['2026-12-21T09:59:59.999Z', false, 'ends in 29 days'],
    ['2026-11-21T10:00:01.000Z', false, 'ends in 0 days'],
    ['2026-11-21T09:59:59.000Z', false, 'ended'],
    ['2026-11-11T09:00:00.000Z', false, 'ended'],
  ])('until %s: %s, %s', (notAfter, ok, what) => {
    const found = lasting('x', notAfter, now, 30, 'renew');
    expect(found.ok).toBe(ok);
    expect(found.what).toContain(what);
    expect(found.next).toBe(ok ? '' : 'renew');
  });
});

describe('the clock', () => {
  const orderer = 'Sat, 21 Nov 2026 10:00:00 GMT';
  const at = (seconds: number): number => Date.parse('2026-11-21T10:00:00.500Z') + seconds * 1000;
  it.each([
    [0, true, 'within 0.0 s'],
    [4.9, true, 'within 4.9 s'],
    [-4.9, true, 'within 4.9 s'],
    [5.1, false, '5.1 s ahead'],
    [-60, false, '60.0 s behind'],
  ])('%d s from the orderer’s: %s, %s', (seconds, ok, what) => {
    const found = clockFinding('EE clock', orderer, at(seconds) - 20, at(seconds) + 20);
    expect(found.ok).toBe(ok);
    expect(found.what).toContain(what);
  });
  it('is told against the database’s too, with what to do', () => {
    expect(offsetFinding('EE clock and database', 600_000, 'database', 'set it')).toEqual(
      bad('EE clock and database', "600.0 s ahead of the database's", 'set it'),
    );
  });
  it.each([undefined, 'soon'])('is not guessed from %j', (date) => expect(clockFinding('EE clock', date, 0, 0).ok).toBe(false));
});
