import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { Validators } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { cursorOf, trailQuestion } from './trail-query.js';

const tools = { validators: new Validators(), sha256: (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest()) };
const read = (query: object): ReturnType<typeof trailQuestion> => trailQuestion(query, tools);

const instants = fc
  .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
  .map((date) => date.toISOString());

describe('a trail query', () => {
  it('asks for a hundred lines of everything where it says nothing', () => expect(read({})).toEqual({ filter: {}, limit: 100 }));

  it('means the same time in every zone', () => {
    expect(read({ from: '2026-11-21T02:00:00+02:00' })).toEqual(read({ from: '2026-11-21T00:00:00.000Z' }));
  });

  it('goes on from the cursor of its own page, with any limit', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        instants,
        fc.nat(),
        fc.nat(9_999),
        fc.constantFrom('EE', 'PT', undefined),
        (upTo, at, block, position, country) => {
          const query = country === undefined ? {} : { country };
          const cursor = cursorOf({ upTo, at, block, position }, read(query).filter, tools.sha256);
          expect(read({ ...query, limit: '7', cursor })).toMatchObject({ limit: 7, behind: { upTo, at, block, position } });
          expect(() => read({ ...query, purpose: 'TREAT', cursor })).toThrow(/another query/);
        },
      ),
    );
  });

  it('never takes a cursor that was made up', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const cursor = Buffer.from(text).toString('base64url');
        expect(() => read({ cursor })).toThrow(/trail\.query-invalid/);
      }),
    );
  });

  it('holds nothing but times that are', () => {
    expect(() => read({ to: '2026-02-31T25:00:00Z' })).toThrow('/to is no time');
  });
});
