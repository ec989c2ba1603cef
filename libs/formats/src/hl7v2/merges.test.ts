import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countryOfTables } from '../testing/coverage/index.js';
import { openReferences } from '../testing/oracles.js';
import { translate, type Translation } from '../translate.js';
import { headerProblem, readHeader } from './header.js';
import { readHl7 } from './message.js';
import { personParts } from './swap-parts.js';

const fixtures = join(import.meta.dirname, '../../fixtures/hl7v2');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const country = countryOfTables();
const bytesOf = (event: string): Uint8Array => readFileSync(join(fixtures, `ee-tables-adt-${event}.hl7`));
const translated = (bytes: Uint8Array): Translation =>
  translate({ bytes, format: 'hl7v2', country, sha256, received: '2026-11-20T10:00:00.000Z' });

interface Person {
  readonly id: string;
  readonly active?: boolean;
  readonly link: { other: { reference: string }; type: string }[];
}
const persons = ({ resources }: Translation): Person[] =>
  resources.filter(({ resourceType }) => resourceType === 'Patient') as unknown as Person[];

describe('A merge', () => {
  it.each(['a40', 'a47'])('%s says of either identifier what became of it', (event) => {
    const answer = translated(bytesOf(event));
    const [stays, goes] = [
      persons(answer).find(({ active }) => active !== false)!,
      persons(answer).find(({ active }) => active === false)!,
    ];
    expect(stays.link).toEqual([{ other: { reference: `Patient/${goes.id}` }, type: 'replaces' }]);
    expect(goes.link).toEqual([{ other: { reference: `Patient/${stays.id}` }, type: 'replaced-by' }]);
    expect(answer.persons).toHaveLength(1);
    expect(answer.mentions).toContain(answer.resources.findIndex(({ id }) => id === goes.id));
    expect(openReferences(answer.resources)).toEqual([]);
    expect(answer.priors.map(({ resource }) => answer.resources[resource]?.id)).toEqual([goes.id]);
  });

  it('gives who goes the id that her own messages gave her', () => {
    const lines = Buffer.from(bytesOf('a40')).toString().replace('ADT^A40^ADT_A39', 'ADT^A08^ADT_A01').split('\r');
    const own = lines.filter((line) => !/^(MRG|PID)/.test(line)).join('\r');
    const before = translated(Buffer.from(`${own}PID|1||H-200002^7^M11^EE-NAIDISHAIGLA&2.999.1.1&ISO^MR||Katse^Jaanus\r`));
    const goes = persons(translated(bytesOf('a40'))).find(({ active }) => active === false);
    expect(persons(before).map(({ id }) => id)).toEqual([goes?.id]);
  });

  it('of accounts names the account, and merges no persons', () => {
    const answer = translated(bytesOf('a41'));
    expect(persons(answer)).toHaveLength(1);
    expect(persons(answer)[0]?.link).toBeUndefined();
    expect(answer.resources.find(({ resourceType }) => resourceType === 'Account')).toMatchObject({
      identifier: [{ value: 'ACC-41' }],
      status: 'unknown',
    });
    expect(answer.priors).toEqual([]);
  });
});

describe('A move of an identifier', () => {
  const moved = (): Uint8Array => Buffer.from(bytesOf('a40').toString().replaceAll('A40', 'A43').replace('ADT_A39', 'ADT_A43'));

  it('is taken at the door, and names who goes on under whom, as a merge does', () => {
    expect(headerProblem(readHeader(readHl7(moved(), { maxBytes: 1_000_000, terminators: 'any' })))).toBeUndefined();
    const [answer, merge] = [translated(moved()), translated(bytesOf('a40'))];
    expect(answer.account.rejects).toEqual([]);
    expect(persons(answer).map(({ link }) => link)).toEqual(persons(merge).map(({ link }) => link));
    expect(openReferences(answer.resources)).toEqual([]);
  });

  it("says that the identifier was another person's until now, which a merge does not", () => {
    const answer = translated(moved());
    expect(answer.moved).toEqual(answer.priors);
    expect(answer.moved.map(({ identifiers }) => identifiers[0]?.value)).toEqual(['H-200002']);
    expect(translated(bytesOf('a40')).moved).toEqual([]);
  });
});

describe('A move of an identifier, in the forms of the versions', () => {
  const local = (value: string): string => `${value}^^^EE-NAIDISHAIGLA&2.999.1.1&ISO^MR`;
  const [moves, hers, his] = [local('H-9'), local('H-1'), local('H-2')];
  const national = moves.replace(/MR$/, 'NI');
  const moved = (pid: string, mrg: string): Translation => {
    const head = bytesOf('a40').toString().split('\r')[0] ?? '';
    const msh = head.replace('ADT^A40^ADT_A39', 'ADT^A43^ADT_A43');
    return translated(Buffer.from([msh, 'EVN||20261120101400+0200', `PID|1|${pid}||Katse^Jaan`, `MRG|${mrg}`, ''].join('\r')));
  };
  const valuesOf = ({ identifiers }: { identifiers: readonly { value: string }[] }): readonly string[] =>
    identifiers.map(({ value }) => value);

  it.each([
    ['alone, by whom it goes to in PID-2 (2.3)', `${hers}|${moves}`, `${moves}|||${his}`, ['H-9', 'H-1']],
    ['with a number in its place (2.3)', `${hers}|${local('H-8')}`, `${moves}|||${his}`, ['H-8', 'H-1']],
    ['among the numbers of whom it goes to', `|${hers}~${moves}`, moves, ['H-1', 'H-9']],
    ['alone, by whom it goes to', `|${hers}`, moves, ['H-1']],
    ['first among the numbers of whom it goes to', `|${moves}~${hers}`, moves, ['H-9', 'H-1']],
    ['as a national one, first among them', `|${national}~${hers}`, national, ['H-9', 'H-1']],
    ['first, before one of several versions that has both', `${local('H-8')}|${moves}~${hers}`, moves, ['H-9', 'H-1', 'H-8']],
  ])('%s is moved, and nothing else of whom it was', (_how, pid, mrg, to) => {
    const answer = moved(pid, mrg);
    expect(answer.account.rejects).toEqual([]);
    expect(answer.moved.map(valuesOf)).toEqual([['H-9']]);
    expect(answer.persons.map(valuesOf)).toEqual([to]);
  });

  it.each([
    ['of 2.3', hers, `${hers}|${moves}`],
    ['that stands first', hers, `|${moves}~${hers}`],
    ['that stands before a national one', `${hers}~${national.replace('9', '7')}`, `|${moves}~${hers}~${national.replace('9', '7')}`],
  ])('%s gives whom it goes to the id that her own messages give her', (_how, pid, moving) => {
    const head = bytesOf('a40').toString().split('\r')[0] ?? '';
    const own = [head.replace('ADT^A40^ADT_A39', 'ADT^A08^ADT_A01'), `PID|1||${pid}||Katse^Jaan`, ''].join('\r');
    const answer = moved(moving, `${moves}|||${his}`);
    const [to, from] = [answer.persons[0], answer.moved[0]].map((one) => answer.resources[one?.resource ?? -1]?.id);
    expect([to]).toEqual(persons(translated(Buffer.from(own))).map(({ id }) => id));
    expect(from).not.toBe(to);
    expect(openReferences(answer.resources)).toEqual([]);
  });

  it.each([
    ['names whom it goes to by what is moved (2.3)', `${moves}|${moves}`, `${moves}|||${his}`, 'ingest.move-unclear'],
    ['names nobody to whom it goes', `|${moves}`, moves, 'ingest.move-unclear'],
    ['moves nothing', `|${hers}`, '|||', 'ingest.move-unclear'],
    ['lists whose it was beside it', `|${hers}~${moves}`, `${moves}~${his}`, 'ingest.move-entangled'],
  ])('one that %s is refused', (_how, pid, mrg, code) => {
    expect(moved(pid, mrg).account.rejects).toContainEqual(expect.objectContaining({ code, severity: 'document' }));
  });
});

describe('A link', () => {
  it('leads from either record of the person to the other, and neither is replaced', () => {
    const answer = translated(bytesOf('a24'));
    const [first, second, ...more] = persons(answer);
    expect(more).toEqual([]);
    expect(first?.link).toEqual([{ other: { reference: `Patient/${second?.id ?? ''}` }, type: 'seealso' }]);
    expect(second?.link).toEqual([{ other: { reference: `Patient/${first?.id ?? ''}` }, type: 'seealso' }]);
    expect([first?.active, second?.active]).not.toContain(false);
    expect(answer.persons.map(({ resource }) => answer.resources[resource]?.id)).toEqual([first?.id]);
    expect(answer.priors.map(({ resource }) => answer.resources[resource]?.id)).toEqual([second?.id]);
    expect(answer.parted).toEqual([]);
  });

  it('is taken back by A37, which names the same two and joins nobody', () => {
    const answer = translated(Buffer.from(bytesOf('a24').toString().replaceAll('A24', 'A37')));
    expect(persons(answer).map(({ link }) => link)).toEqual([undefined, undefined]);
    expect(answer.priors).toEqual([]);
    expect(answer.parted.map(({ identifiers }) => identifiers.map(({ value }) => value))).toEqual([['H-300001']]);
  });

  it('gives nothing of the second record to the person of the first', () => {
    const withVisit = bytesOf('a24').toString().trimEnd();
    const answer = translated(Buffer.from(`${withVisit}\rPV1|2|I|||||||||||||||||V-24^^^EE-NAIDISHAIGLA^VN\r`));
    expect(answer.resources.filter(({ resourceType }) => resourceType === 'Encounter')).toHaveLength(1);
    expect(answer.account.carried.map(({ value }) => value)).toContain('V-24');
  });
});

describe('A swap', () => {
  it('becomes a message a person, each with the head and her own segments as they came', () => {
    const whole = bytesOf('a17');
    const parts = personParts(whole);
    expect(parts).toHaveLength(2);
    const [first, second] = parts.map((part) => Buffer.from(part).toString());
    const lines = whole.toString().split('\r');
    expect(first).toBe(`${lines.slice(0, 4).join('\r')}\r`);
    expect(second).toBe([...lines.slice(0, 2), ...lines.slice(4)].join('\r'));
    const answers = parts.map((part) => translated(part));
    expect(answers.map((answer) => answer.persons.length)).toEqual([1, 1]);
    expect(answers.flatMap((answer) => answer.account.rejects)).toEqual([]);
    const places = answers.map(({ resources }) => resources.find(({ resourceType }) => resourceType === 'Encounter'));
    expect(places.map((one) => one?.['status'])).toEqual(['in-progress', 'in-progress']);
    expect(places[0]?.['location']).not.toEqual(places[1]?.['location']);
  });

  it('is nothing that any other message is', () => {
    for (const bytes of [bytesOf('a24'), bytesOf('a40'), new Uint8Array(), Buffer.from('PID|1\rPID|2\r'), Buffer.from('MSH|^~\\&|\r')])
      expect(personParts(bytes)).toEqual([bytes]);
  });
});

describe('A move of a stay', () => {
  const [number, other] = ['H-100002^7^M11^EE-NAIDISHAIGLA&2.999.1.1&ISO^MR', 'H-200002^7^M11^EE-NAIDISHAIGLA&2.999.1.1&ISO^MR'];
  const message = (event: string, pid: string, ...also: readonly string[]): Translation => {
    const [head] = bytesOf('a40').toString().split('\r');
    const msh = (head ?? '').replace('ADT^A40^ADT_A39', event).replace('EE-TAB-0003', 'EE-TAB-A45').replace('P^T', 'P');
    return translated(Buffer.from([msh, 'EVN||20261120101400+0200', `PID|1||${pid}||Katse^Jaan`, ...also, ''].join('\r')));
  };
  const moved = (...groups: readonly string[]): Translation => message('ADT^A45^ADT_A45', number, ...groups);
  const visit = (value: string): string => `PV1|1|I|||||||||||||||||${value}`;
  const stay = ({ resources }: Translation): readonly string[] =>
    resources.filter(({ resourceType }) => resourceType === 'Encounter').map(({ id }) => id);

  it('names whose it was, under which number, and which it is, by the ids that the own messages of either give', () => {
    const answer = moved(`MRG|${other}||ACC-1||V-1^^^EE-V^VN`, visit('V-2^^^EE-V^VN'));
    expect(answer.account.rejects).toEqual([]);
    expect(answer.priors).toEqual([]);
    expect(openReferences(answer.resources)).toEqual([]);
    const [move, ...more] = answer.movedStays;
    expect(more).toEqual([]);
    expect(move?.person.identifiers.map(({ value }) => value)).toEqual(['H-200002']);
    const [hers, his] = [
      message('ADT^A08^ADT_A01', other, visit('V-1^^^EE-V^VN')),
      message('ADT^A08^ADT_A01', number, visit('V-2^^^EE-V^VN')),
    ];
    expect([answer.resources[move!.from]?.id, answer.resources[move!.to]?.id]).toEqual([...stay(hers), ...stay(his)]);
    expect(answer.resources.some(({ resourceType }) => resourceType === 'Account')).toBe(false);
    expect(persons(answer).map(({ active, link }) => [active, link])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it('moves each of several, and one that keeps its number and its person is the same one', () => {
    const two = moved(
      `MRG|${other}||||V-1^^^EE-V^VN`,
      visit('V-1^^^EE-V^VN'),
      `MRG|${other}|||||A-2^^^EE-V^VN`,
      visit('V-2^^^EE-V^VN'),
    ).movedStays;
    expect(two).toHaveLength(2);
    expect(new Set(two.flatMap(({ from, to }) => [from, to])).size).toBe(4);
    const [account] = moved(`MRG|${number}||ACC-1||V-1^^^EE-V^VN`, visit('V-1^^^EE-V^VN')).movedStays;
    expect(account?.from).toBe(account?.to);
  });

  it.each([
    ['names no stay', ['MRG|H-1^^^EE-NAIDISHAIGLA^MR||ACC-1', visit('V-1^^^EE-V^VN')], 'translate.value-missing'],
    ['names nobody', ['MRG|||||V-1^^^EE-V^VN', visit('V-1^^^EE-V^VN')], 'translate.value-missing'],
    ['does not say what it is', ['MRG|H-1^^^EE-NAIDISHAIGLA^MR||||V-1^^^EE-V^VN'], 'translate.value-missing'],
    [
      'makes two one',
      [`MRG|${other}||||V-1^^^EE-V^VN`, visit('V-9^^^EE-V^VN'), `MRG|${other}||||V-2^^^EE-V^VN`, visit('V-9^^^EE-V^VN')],
      'translate.value-conflict',
    ],
  ])('is refused whole where it %s', (_what, groups, code) => {
    expect(moved(...groups).account.rejects).toContainEqual(expect.objectContaining({ code, severity: 'document' }));
  });

  it('calls what hangs under a person as her own messages would, where another is put in her place', () => {
    const own = message('ADT^A08^ADT_A01', number, visit('V-1^^^EE-V^VN'), 'AL1|1|DA|PENI^Penitsilliin^99EEALL|SV');
    const patient = persons(own)[0]?.id ?? '';
    const [head] = bytesOf('a40').toString().split('\r');
    const as = (subject: string): Translation =>
      translate({
        bytes: Buffer.from(
          [
            (head ?? '').replace('ADT^A40^ADT_A39', 'ADT^A08^ADT_A01'),
            `PID|1||${other}||Katse^Jaan`,
            visit('V-1^^^EE-V^VN'),
            'AL1|1|DA|PENI^Penitsilliin^99EEALL|SV',
            '',
          ].join('\r'),
        ),
        format: 'hl7v2',
        country,
        sha256,
        received: '2026-11-20T10:00:00.000Z',
        subject,
      });
    const idsOf = ({ resources }: Translation): readonly string[] =>
      resources.filter(({ resourceType }) => resourceType !== 'Organization').map(({ resourceType, id }) => `${resourceType}/${id}`);
    expect(idsOf(as(patient))).toEqual(idsOf(own));
  });
});
