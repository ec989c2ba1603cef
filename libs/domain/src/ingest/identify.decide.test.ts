import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PersonId } from '../kernel/ids.js';
import type { Person, PersonEntry } from '../store/edge-tx.port.js';
import { decideMerge, identify, knownPerson, samePerson } from './identify.decide.js';

const NATIONAL = 'urn:national';
const LOCAL = 'urn:local';
const national = new Set([NATIONAL]);
const id = (value: string, system = NATIONAL): { system: string; value: string } => ({ system, value });
const HERS = '10000000-0000-4000-8000-000000000001' as PersonId;
const OTHER = '10000000-0000-4000-8000-000000000002' as PersonId;
const person = (fields: Partial<PersonEntry> = {}): PersonEntry => ({
  id: HERS,
  survivor: fields.id ?? HERS,
  others: [],
  identifiers: [id('1')],
  birthDate: '1971-01-01',
  family: 'Näidis',
  given: 'Mari',
  ...fields,
});

/** The same without what the index alone knows. */
const known = (fields: Partial<PersonEntry> = {}): Person => {
  const { survivor: _survivor, others: _others, ...entry } = person(fields);
  return entry;
};

describe('whom a message is about', () => {
  it.each<[string, { identifiers: { system: string; value: string }[]; birthDate?: string }, PersonEntry[], object]>([
    [
      'nobody, without an identifier',
      { identifiers: [] },
      [],
      { kind: 'refused', code: 'ingest.person-unidentified', element: 'identifier' },
    ],
    ['somebody new', { identifiers: [id('1')] }, [], { kind: 'new' }],
    ['the one who bears it', { identifiers: [id('1')], birthDate: '1971-01-01' }, [person()], { kind: 'known' }],
    ['her too where it says less of her birth', { identifiers: [id('1')], birthDate: '1971' }, [person()], { kind: 'known' }],
    ['her too where it says nothing of her birth', { identifiers: [id('1')] }, [person()], { kind: 'known' }],
    [
      'her by a local number',
      { identifiers: [id('H-1', LOCAL)] },
      [person({ identifiers: [id('1'), id('H-1', LOCAL)] })],
      { kind: 'known' },
    ],
    [
      'the entry that stands for her, where two of her entries bear it',
      { identifiers: [id('1')] },
      [person({ id: OTHER, survivor: HERS }), person()],
      { kind: 'known', person: { id: HERS } },
    ],
    [
      'the entry that was joined, where it alone bears it',
      { identifiers: [id('1')] },
      [person({ id: OTHER, survivor: HERS })],
      { kind: 'known', person: { id: OTHER } },
    ],
    [
      'nobody where another entry of hers bears another national identifier',
      { identifiers: [id('2'), id('H-1', LOCAL)] },
      [person({ id: OTHER, survivor: HERS, identifiers: [id('H-1', LOCAL)], others: [id('1')] })],
      { kind: 'refused', code: 'ingest.person-conflict', element: 'identifier' },
    ],
    [
      'nobody where two bear it',
      { identifiers: [id('1')] },
      [person(), person({ id: OTHER })],
      { kind: 'refused', code: 'ingest.person-ambiguous' },
    ],
    [
      'nobody where the birth date is another',
      { identifiers: [id('1')], birthDate: '1971-01-02' },
      [person()],
      { kind: 'refused', code: 'ingest.person-conflict', element: 'birthDate' },
    ],
    [
      'nobody where the year is another',
      { identifiers: [id('1')], birthDate: '1972' },
      [person()],
      { kind: 'refused', code: 'ingest.person-conflict' },
    ],
    [
      'nobody where a local number is hers and the national one is not',
      { identifiers: [id('2'), id('H-1', LOCAL)] },
      [person({ identifiers: [id('1'), id('H-1', LOCAL)] })],
      { kind: 'refused', code: 'ingest.person-conflict', element: 'identifier' },
    ],
  ])('%s', (_what, traits, candidates, expected) => {
    expect(identify({ resource: 0, ...traits }, candidates, national)).toMatchObject(expected);
  });
});

describe('two entries that a source joins', () => {
  const local = person({ id: OTHER, identifiers: [id('H-2', LOCAL)] });
  it.each<[string, PersonEntry, PersonEntry, object]>([
    ['become one', local, person(), { kind: 'merge' }],
    ['are one already', { ...local, survivor: HERS }, person(), { kind: 'same' }],
    ['bear different national identifiers', person({ id: OTHER, identifiers: [id('2')] }), person(), { code: 'ingest.merge-conflict' }],
    ['do so by an entry that was joined before', local, person({ identifiers: [id('H-1', LOCAL)], others: [id('1')] }), { kind: 'merge' }],
    ['do so by either’s other entry', { ...local, others: [id('2')] }, person({ others: [id('1')] }), { code: 'ingest.merge-conflict' }],
    ['were born on different days', { ...local, birthDate: '1971-01-02' }, person(), { code: 'ingest.merge-conflict' }],
  ])('%s', (_what, prior, survivor, expected) => {
    expect(decideMerge(prior, survivor, national)).toMatchObject(expected);
  });
});

describe('what the index knows after a message', () => {
  it('adds identifiers and precision, and takes the newest name of a message about her', () => {
    const after = knownPerson(
      person({ birthDate: '1971' }),
      { resource: 0, identifiers: [id('1'), id('H-1', LOCAL)], birthDate: '1971-01-01', family: 'Uus', given: ['Mari', 'Liis'] },
      true,
    );
    expect(after).toEqual(known({ identifiers: [id('1'), id('H-1', LOCAL)], family: 'Uus', given: 'Mari Liis' }));
  });

  it('takes no name from a message that merely mentions her, unless none is known', () => {
    const traits = { resource: 0, identifiers: [id('1')], family: 'Uus', given: ['M.'] };
    expect(knownPerson(person(), traits, false)).toEqual(known());
    expect(knownPerson(person({ family: undefined, given: undefined }), traits, false)).toMatchObject({ family: 'Uus', given: 'M.' });
  });

  it('loses nothing, and says the same when told the same again', () => {
    const identifiers = fc.uniqueArray(
      fc.record({ system: fc.constantFrom(NATIONAL, LOCAL), value: fc.string({ minLength: 1, maxLength: 4 }) }),
      { maxLength: 6, selector: (one) => `${one.system}|${one.value}` },
    );
    const birthDate = fc.constantFrom(undefined, '1971', '1971-01', '1971-01-01');
    const traits = fc
      .record({ identifiers, birthDate, family: fc.option(fc.string(), { nil: undefined }) })
      .map(({ birthDate: born, family, ...rest }) => ({
        resource: 0,
        ...rest,
        ...(born === undefined ? {} : { birthDate: born }),
        ...(family === undefined ? {} : { family }),
      }));
    fc.assert(
      fc.property(identifiers, traits, fc.boolean(), (known, told, authoritative) => {
        const before = person({ identifiers: known });
        const after = knownPerson(before, told, authoritative);
        expect(after.identifiers).toEqual(expect.arrayContaining([...known, ...told.identifiers]));
        expect(samePerson(after, knownPerson(after, told, authoritative))).toBe(true);
      }),
    );
  });
});
