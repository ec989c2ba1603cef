import { describe, expect, it } from 'vitest';
import { agesOf, isOlder, standingAge, type Age, type StandingAge } from './age.js';

const at = (time: string): string => `2026-11-05T${time}Z`;
const span = (from: string, to = from): { from: number; to: number } => ({ from: Date.parse(at(from)), to: Date.parse(at(to)) });
const age = (content?: Age['content'], sent?: Age['sent']): Age => ({ content, sent });
const standing = (content?: string, sent?: string): StandingAge => ({
  content: content === undefined ? undefined : at(content),
  sent: sent === undefined ? undefined : at(sent),
});

describe('what a message says is older than what stands', () => {
  it.each<[string, Age, StandingAge, boolean]>([
    ['where its content was entered before', age(span('09:00:00')), standing('10:00:00'), true],
    ['even though it was sent later: it is sent again', age(span('09:00:00'), span('12:00:00')), standing('10:00:00', '10:00:01'), true],
    ['never where its content was entered later', age(span('11:00:00'), span('08:00:00')), standing('10:00:00', '10:00:01'), false],
    [
      'where the content is of one time and it was sent before',
      age(span('10:00:00'), span('10:00:00')),
      standing('10:00:00', '10:00:01'),
      true,
    ],
    ['not where both times are the same', age(span('10:00:00'), span('10:00:01')), standing('10:00:00', '10:00:01'), false],
    ['by when it was sent, where nothing tells of the content', age(undefined, span('09:00:00')), standing(undefined, '10:00:00'), true],
    [
      'by when it was sent, where one alone tells of the content',
      age(span('11:00:00'), span('09:00:00')),
      standing(undefined, '10:00:00'),
      true,
    ],
    ['not where a vague time may be the same', age(undefined, span('10:00:00', '10:59:59')), standing(undefined, '10:30:00'), false],
    ['where a vague time is before in any case', age(undefined, span('09:00:00', '09:59:59')), standing(undefined, '10:30:00'), true],
    ['not where it says no time', age(), standing('10:00:00', '10:00:00'), false],
    ['not where what stands says none', age(span('10:00:00'), span('10:00:00')), standing(), false],
  ])('%s', (_case, told, stands, older) => {
    expect(isOlder(told, stands)).toBe(older);
  });

  it('by no clock that runs ahead: nothing is said after it was received', () => {
    const ahead = standingAge(age(span('23:00:00'), span('23:00:00')), at('10:00:00.000'));
    expect(ahead).toEqual({ content: at('10:00:00.000'), sent: at('10:00:00.000') });
    expect(isOlder(age(span('10:30:00'), span('10:30:00')), ahead)).toBe(false);
  });
});

describe('the age of a message’s resources', () => {
  const report = {
    resourceType: 'DiagnosticReport',
    id: 'r',
    issued: '2026-11-05T11:00:00+01:00',
    result: [{ reference: 'Observation/a' }, { display: 'none' }],
  };
  const other = { resourceType: 'DiagnosticReport', id: 's', result: [{ reference: 'Observation/b' }] };
  const [a, b] = ['a', 'b'].map((id) => ({ resourceType: 'Observation', id }));

  it('is that of its report for a result, that of the event for all else', () => {
    const times = { recorded: span('08:00:00'), sent: span('12:00:00') };
    const released = { content: span('10:00:00', '10:00:00.999'), sent: times.sent };
    const entered = { content: times.recorded, sent: times.sent };
    const resources = [report, other, a, b] as Parameters<typeof agesOf>[0]['resources'];
    expect(agesOf({ resources, times })).toEqual([released, entered, released, entered]);
  });
});
