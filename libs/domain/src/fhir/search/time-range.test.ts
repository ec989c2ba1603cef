import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ianaZone, instantOf, timeRange, UTC } from './time-range.js';

const shown = (text: string, zone = UTC): string => {
  const range = timeRange(text, zone);
  return range === undefined ? 'none' : `${instantOf(range.start)} ${instantOf(range.end)}`;
};

describe('a FHIR time is as wide as its precision', () => {
  it.each([
    ['2024', '2024-01-01T00:00:00.000Z 2025-01-01T00:00:00.000Z'],
    ['2024-02', '2024-02-01T00:00:00.000Z 2024-03-01T00:00:00.000Z'],
    ['2024-12', '2024-12-01T00:00:00.000Z 2025-01-01T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z 2024-03-01T00:00:00.000Z'],
    ['2024-02-29T10:15', '2024-02-29T10:15:00.000Z 2024-02-29T10:16:00.000Z'],
    ['2024-02-29T10:15:30Z', '2024-02-29T10:15:30.000Z 2024-02-29T10:15:31.000Z'],
    ['2024-02-29T10:15:30.5Z', '2024-02-29T10:15:30.500Z 2024-02-29T10:15:30.600Z'],
    ['2024-02-29T10:15:30.123456+02:00', '2024-02-29T08:15:30.123Z 2024-02-29T08:15:30.124Z'],
    ['2024-02-29T00:30:00+02:00', '2024-02-28T22:30:00.000Z 2024-02-28T22:30:01.000Z'],
    ['0099', '0099-01-01T00:00:00.000Z 0100-01-01T00:00:00.000Z'],
    ['9999', '9999-01-01T00:00:00.000Z 9999-12-31T23:59:59.999Z'],
    ['2023-02-29', 'none'],
    ['2024-13', 'none'],
    ['2024-00', 'none'],
    ['2024-1-1', 'none'],
    ['24', 'none'],
    ['2024-02-29T24:00', 'none'],
    ['2024-02-29T10', 'none'],
    ['2024-02-29T10:00+15:00', 'none'],
    ['0000', 'none'],
    ['', 'none'],
    ['x', 'none'],
  ])('%s: %s', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  it('a date without offset is the zone’s: summer, winter, and the day of the change', () => {
    const tallinn = ianaZone('Europe/Tallinn');
    expect(shown('2024-01-15', tallinn)).toBe('2024-01-14T22:00:00.000Z 2024-01-15T22:00:00.000Z');
    expect(shown('2024-07-15', tallinn)).toBe('2024-07-14T21:00:00.000Z 2024-07-15T21:00:00.000Z');
    expect(shown('2024-03-31', tallinn)).toBe('2024-03-30T22:00:00.000Z 2024-03-31T21:00:00.000Z');
    expect(shown('2024-07-15T10:00:00Z', tallinn)).toBe('2024-07-15T10:00:00.000Z 2024-07-15T10:00:01.000Z');
    expect(() => ianaZone('Europe/Nowhere')).toThrow(RangeError);
  });

  it('what is an instant to the machine is the same instant here', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
        (date) => {
          expect(timeRange(date.toISOString(), UTC)).toEqual({ start: date.getTime(), end: date.getTime() + 1 });
        },
      ),
    );
  });

  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string(), (text) => timeRange(text, UTC) === undefined || text.length >= 4));
  });
});
