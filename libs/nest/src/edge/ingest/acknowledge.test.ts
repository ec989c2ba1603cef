import { readHead, type IngestProblem } from '@portolan/domain';
import { describe, expect, it } from 'vitest';
import { acknowledgement, acknowledgements, notTakenOver } from './acknowledge.js';

const sender = { now: () => '2026-11-21T10:00:00.000Z', controlId: () => 'ACK-1' };
const message = (accept = '', application = '', type = 'ADT^A01^ADT_A01', charset = 'UNICODE UTF-8') =>
  readHead(Buffer.from(`MSH|^~\\&|HIS|HAIGLA|PORTOLAN|EE|20261102||${type}|C-1|P|2.5.1|||${accept}|${application}||${charset}\rPID|1\r`));
const wrong: IngestProblem = { code: 'translate.value-invalid', path: 'PID-7', severity: 'document' };
const codes = (frames: readonly Uint8Array[]): (string | undefined)[] =>
  frames.map((one) => /\rMSA\|(\w\w)\|/.exec(Buffer.from(one).toString())?.[1]);

describe('acknowledgements', () => {
  it.each<[string, string, readonly IngestProblem[], string[]]>([
    ['', '', [], ['AA']],
    ['', '', [wrong], ['AE']],
    ['AL', 'AL', [], ['CA', 'AA']],
    ['AL', 'NE', [wrong], ['CA']],
    ['AL', 'ER', [wrong], ['CA', 'AE']],
    ['NE', 'SU', [wrong], []],
    ['ER', 'SU', [], ['AA']],
    ['NE', 'NE', [], []],
  ])('MSH-15 %s, MSH-16 %s', (accept, application, problems, expected) => {
    expect(codes(acknowledgements(message(accept, application), problems, sender))).toEqual(expected);
  });

  it('refuses at commit level what is not a message for us', () => {
    const problem: IngestProblem = { code: 'ingest.type-unsupported', path: 'MSH-9.1', severity: 'document' };
    expect(codes(acknowledgements(message('ER', 'NE', 'MFN^M02'), [problem], sender))).toEqual(['CR']);
  });

  it('says AE, or CE, to whatever was not taken over, wanted or not', () => {
    const problem: IngestProblem = { code: 'store.unavailable', path: '', severity: 'document' };
    expect(codes([notTakenOver(message(), problem, sender)])).toEqual(['AE']);
    expect(codes([notTakenOver(message('NE', 'NE'), problem, sender)])).toEqual(['CE']);
    expect(Buffer.from(notTakenOver(readHead(Buffer.from('noise')), problem, sender)).toString()).toMatch(
      /^MSH\|[^\r]*\|ACK\|ACK-1\|P\|2\.5\.1\rMSA\|AE\r/,
    );
  });

  it('come in the character set of the message', () => {
    const head = readHead(Buffer.from('MSH|^~\\&|CL\xcdNICA|H|PORTOLAN|PT|20261102||ADT^A01|C-1|P|2.5||||||8859/1\rPID|1\r', 'latin1'));
    const bytes = Buffer.from(acknowledgement(head, { outcome: 'accept', errors: [] }, sender));
    expect(bytes.toString('latin1')).toContain('|CLÍNICA|');
  });
});
