import { errorRegistry } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { buildAck, headerVerdict, isWanted, unreadableVerdict, verdictOf, type AckVerdict } from './ack.js';
import { parseHl7, readHl7, type Hl7Message } from './message.js';
import { MllpDecoder, mllpFrame } from './mllp.js';

const now = '2026-11-21T10:00:00.000Z';
function message(fields: Record<number, string> = {}): Hl7Message {
  const msh = Object.entries({
    2: '^~\\&',
    3: 'HIS',
    4: 'HAIGLA',
    5: 'PORTOLAN',
    6: 'EE',
    7: '20261121',
    9: 'ADT^A01^ADT_A01',
    10: 'M1',
    11: 'P',
    12: '2.5.1',
    ...fields,
  });
  const parts: (string | undefined)[] = ['MSH'];
  for (const [number, value] of msh) parts[Number(number) - 1] = value;
  return parseHl7(`${Array.from(parts, (part) => part ?? '').join('|')}\rPID|1\r`, { terminators: 'cr' });
}
const accepted: AckVerdict = { outcome: 'accept', errors: [] };
const badBirthDate = verdictOf([{ code: 'translate.value-invalid', path: 'PID-7', severity: 'document' }]);
const ack = (fields: Record<number, string>, verdict: AckVerdict, level?: 'commit' | 'application'): string[] =>
  buildAck({ message: message(fields), verdict, now, controlId: 'A1', ...(level !== undefined && { level }) }).split('\r');

describe('the acknowledgement code', () => {
  it.each([
    ['original mode', {}, accepted, undefined, 'AA'],
    ['original mode, content refused', {}, badBirthDate, undefined, 'AE'],
    ['original mode, commit asked', {}, accepted, 'commit' as const, 'AA'],
    ['enhanced mode, commit', { 15: 'AL', 16: 'AL' }, accepted, 'commit' as const, 'CA'],
    ['enhanced mode, commit refused', { 15: 'AL' }, badBirthDate, 'commit' as const, 'CE'],
    ['enhanced mode, application', { 15: 'AL', 16: 'AL' }, accepted, 'application' as const, 'AA'],
  ])('%s', (_name, fields, verdict, level, code) => {
    expect(ack(fields, verdict, level)[1]).toBe(`MSA|${code}|M1`);
  });

  it.each([
    ['message type', { 9: 'XYZ^A01' }, 'AR', '200', 'MSH^1^9^1^1'],
    ['event', { 9: 'ADT^A99' }, 'AR', '201', 'MSH^1^9^1^2'],
    ['processing id', { 11: 'X' }, 'AR', '202', 'MSH^1^11^1^1'],
    ['absent processing id', { 11: '' }, 'AR', '202', 'MSH^1^11^1^1'],
    ['version', { 12: '2.2' }, 'AR', '203', 'MSH^1^12^1^1'],
    ['control id', { 10: '' }, 'AE', '101', 'MSH^1^10^1'],
  ])('wrong %s', (_name, fields, code, hl7, place) => {
    const verdict = headerVerdict(message(fields));
    const [, msa, err] = ack(fields, verdict!);
    expect(msa).toContain(`MSA|${code}`);
    if (!('12' in fields)) expect(err).toMatch(new RegExp(`^ERR\\|\\|${place.replaceAll('^', '\\^')}\\|${hl7}\\^`));
    else expect(err).toBe(`ERR|MSH^1^12^203&${errorRegistry['ingest.version-unsupported'].what}&HL70357`);
  });

  it('nothing is wrong with a header that this node takes', () => {
    expect(headerVerdict(message())).toBeUndefined();
    for (const version of ['2.3', '2.3.1', '2.4', '2.5', '2.6', '2.7.1', '2.8.2'])
      expect(headerVerdict(message({ 12: version }))).toBeUndefined();
    for (const mode of ['P', 'T', 'D']) expect(headerVerdict(message({ 11: mode }))).toBeUndefined();
  });
});

describe('which acknowledgement is wanted', () => {
  it.each([
    ['', '', 'application', true, true],
    ['', '', 'commit', false, false],
    ['AL', 'NE', 'commit', true, true],
    ['AL', 'NE', 'application', false, false],
    ['ER', 'SU', 'commit', false, true],
    ['ER', 'SU', 'application', true, false],
    ['NE', 'AL', 'commit', false, false],
    ['NE', 'AL', 'application', true, true],
  ] as const)('MSH-15 %s MSH-16 %s %s', (accept, application, level, onSuccess, onError) => {
    const asked = message({ 15: accept, 16: application });
    expect([isWanted(asked, accepted, level), isWanted(asked, badBirthDate, level)]).toEqual([onSuccess, onError]);
  });
});

describe('ERR', () => {
  it('from 2.5: location, code, severity, our code, what to do; no value of the message', () => {
    const { what, next } = errorRegistry['translate.value-invalid'];
    expect(ack({}, badBirthDate)[2]).toBe(
      `ERR||PID^1^7^1|102^Data type error^HL70357|E|translate.value-invalid^${what}^L||translate.value-invalid|${next}`,
    );
  });
  it('up to 2.4: ERR-1, and a text in MSA-3', () => {
    const { what } = errorRegistry['translate.value-invalid'];
    expect(ack({ 12: '2.4' }, badBirthDate)).toEqual([
      expect.stringContaining('|ACK^A01^ACK|A1|P|2.4'),
      `MSA|AE|M1|${what}`,
      `ERR|PID^1^7^102&${what}&HL70357`,
      '',
    ]);
  });
  it('names repetition, component and subcomponent', () => {
    const verdict = verdictOf([{ code: 'translate.value-missing', path: 'OBX[3]-5[2].1.4', severity: 'document' }]);
    expect(ack({}, verdict)[2]).toContain('ERR||OBX^3^5^2^1^4|101^');
  });
  it('warns of refused entries beside an acceptance', () => {
    const verdict = verdictOf([{ code: 'translate.value-invalid', path: 'OBX[2]-5', severity: 'entry' }]);
    expect(ack({}, verdict).slice(1, 3)).toEqual(['MSA|AA|M1', expect.stringMatching(/^ERR\|\|OBX\^2\^5\^1\|102\^.*\|W\|/)]);
  });
  it('speaks in the delimiters of the sender', () => {
    const odd = parseHl7('MSH#*%@!#HIS#HAIGLA#P#EE#20261121##ADT*A01#M@F@1#P#2.5\r', { terminators: 'cr' });
    const lines = buildAck({ message: odd, verdict: badBirthDate, now, controlId: 'A1' }).split('\r');
    expect(lines[0]).toMatch(/^MSH#\*%@!#P#EE#HIS#HAIGLA#20261121100000\+0000##ACK\*A01\*ACK#A1#P#2\.5$/);
    expect(lines[1]).toBe('MSA#AE#M@F@1');
    expect(lines[2]).toMatch(/^ERR##PID\*1\*7\*1#102\*/);
  });
  it('answers what could not be read', () => {
    const error = ((): unknown => {
      try {
        return readHl7(new Uint8Array([1]), { maxBytes: 10, terminators: 'any' });
      } catch (thrown) {
        return thrown;
      }
    })();
    const lines = buildAck({ message: undefined, verdict: unreadableVerdict(error as never), now, controlId: 'A1' }).split('\r');
    expect(lines[0]).toBe('MSH|^~\\&|||||20261121100000+0000||ACK|A1|P|2.5.1');
    expect(lines[1]).toBe('MSA|AE');
    expect(lines[2]).toContain('ERR||MSH^1|100^Segment sequence error^HL70357|E|ingest.malformed');
  });
});

describe('MLLP refuses', () => {
  const frame = mllpFrame(new Uint8Array([65, 66]));
  it.each([
    ['bytes before a frame', [65], 'ingest.frame-invalid'],
    ['garbage between frames', [...frame, 65, ...frame], 'ingest.frame-invalid'],
    ['an end without carriage return', [0x0b, 65, 0x1c, 65], 'ingest.frame-invalid'],
    ['a start inside a frame', [0x0b, 65, 0x0b], 'ingest.frame-invalid'],
    ['a frame beyond the limit', [0x0b, ...new Array<number>(101).fill(65)], 'ingest.frame-too-large'],
  ])('%s', (_name, bytes, code) => {
    expect(() => new MllpDecoder(100).push(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code }));
  });
  it('but lets line ends between frames pass', () => {
    expect(new MllpDecoder(100).push(Uint8Array.from([...frame, 0x0a, 0x0d, ...frame]))).toHaveLength(2);
  });
});
