import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { canonicalJson, Validators, type PermitOpening, type PermitRecord } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { openingMismatch, permitCommitment, readPermitOpening } from './permit-opening.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const vectors = new URL('../../../contracts/vectors/valid/', import.meta.url);
const validators = new Validators();
const text = readFileSync(new URL('permit-opening/opening.json', vectors), 'utf8');
const permit = JSON.parse(readFileSync(new URL('permit-record/treatment.json', vectors), 'utf8')) as PermitRecord;
const mismatch = (opening: string, record: PermitRecord): string | undefined => openingMismatch(opening, record, validators, sha256);

describe('the opening of a permit', () => {
  it('fits the permit it was made over', () => expect(mismatch(text, permit)).toBeUndefined());

  const opening = readPermitOpening(text, validators);
  it.each([
    ['person', { person: { ...opening.person, value: 'EE-0000002' } }],
    ['categories', { categories: ['summary', 'laboratory', 'imaging'] }],
    ['ground', { ground: 'treatment' }],
    ['since', { since: '2000-01-01' }],
    ['duties', { duties: [] }],
  ])('does not fit with another %s', (_, change) => expect(mismatch(canonicalJson({ ...opening, ...change }), permit)).toBe('commitment'));

  const committed = (change: Partial<PermitOpening>): [string, PermitRecord] => {
    const other = canonicalJson({ ...opening, ...change });
    return [other, { ...permit, commitment: permitCommitment(other, opening.salt, sha256) }];
  };
  it.each([
    ['permitId', { permitId: '00000000-0000-4000-8000-000000000099' }],
    ['custodian', { custodian: 'BE' }],
    ['recipient', { recipient: 'DE' }],
    ['purpose', { purpose: 'HRESCH' }],
    ['until', { until: '2026-12-20T00:00:00.000Z' }],
  ] as [string, Partial<PermitOpening>][])('contradicts the record in %s although it was committed', (field, change) => {
    expect(mismatch(...committed(change))).toBe(field);
  });
  it.each(['{}', text.replace(':', ': '), '['])('is refused as %j', (bad) => {
    expect(() => mismatch(bad, permit)).toThrow('verify.payload-malformed');
  });
});
