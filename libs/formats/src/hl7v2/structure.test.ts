import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourceNode } from '../engine/index.js';
import { messageTree } from './index.js';
import { parseHl7 } from './message.js';

/** The tree as text: groups in parentheses, segments by name and first field. */
function shape(node: SourceNode): string {
  const segment = /^[A-Z][A-Z0-9]{2}$/.test(node.name);
  if (segment) return `${node.name}${node.named('1')[0]?.value ?? ''}`;
  return node.value !== undefined ? 'line' : `${node.name}(${node.children.map(shape).join(' ')})`;
}
function oru(...segments: string[]): string {
  const lines = ['MSH|^~\\&|A|B|||20261101||ORU^R01|1|P|2.5', ...segments.map((segment) => `${segment.slice(0, 3)}|${segment.slice(3)}`)];
  return shape(messageTree(parseHl7(`${lines.join('\r')}\r`, { terminators: 'cr' }))).replace('MSH| ', '');
}

describe('ORU_R01 in its groups', () => {
  it.each([
    [
      'notes go to the OBR or OBX before them',
      ['PID', 'OBR1', 'NTE1', 'OBX1', 'NTE2', 'NTE3', 'OBX2', 'OBR2', 'NTE4', 'OBX3', 'NTE5'],
      'ORU_R01(PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR1 NTE1 OBSERVATION(OBX1 NTE2 NTE3) OBSERVATION(OBX2)) ORDER_OBSERVATION(OBR2 NTE4 OBSERVATION(OBX3 NTE5))))',
    ],
    [
      'an ORC opens the next order; a specimen has observations of its own',
      ['PID', 'PV1', 'ORC1', 'OBR1', 'OBX1', 'SPM1', 'OBX2', 'ORC2', 'OBR2', 'OBX3'],
      'ORU_R01(PATIENT_RESULT(PATIENT(PID VISIT(PV1)) ORDER_OBSERVATION(ORC1 OBR1 OBSERVATION(OBX1) SPECIMEN(SPM1 SPECIMEN_OBSERVATION(OBX2))) ORDER_OBSERVATION(ORC2 OBR2 OBSERVATION(OBX3))))',
    ],
    [
      'a second person opens a second result',
      ['PID1', 'OBR1', 'OBX1', 'PID2', 'OBR2', 'OBX2'],
      'ORU_R01(PATIENT_RESULT(PATIENT(PID1) ORDER_OBSERVATION(OBR1 OBSERVATION(OBX1))) PATIENT_RESULT(PATIENT(PID2) ORDER_OBSERVATION(OBR2 OBSERVATION(OBX2))))',
    ],
    [
      'a local segment stays where it stands, and what follows keeps its parent',
      ['PID', 'OBR1', 'OBX1', 'ZLB1', 'NTE1', 'OBX2'],
      'ORU_R01(PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR1 OBSERVATION(OBX1 ZLB1 NTE1) OBSERVATION(OBX2))))',
    ],
    [
      'an order without OBR does not take its sibling’s',
      ['PID', 'ORC1', 'ORC2', 'OBR2', 'OBX1'],
      'ORU_R01(PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(ORC1) ORDER_OBSERVATION(ORC2 OBR2 OBSERVATION(OBX1))))',
    ],
    [
      'a result that no order precedes has no place, and the orders after it do',
      ['PID', 'PV1', 'OBX1', 'OBR1', 'OBX2'],
      'ORU_R01(PATIENT_RESULT(PATIENT(PID VISIT(PV1 OBX1)) ORDER_OBSERVATION(OBR1 OBSERVATION(OBX2))))',
    ],
    ['results without a person', ['OBR1', 'OBX1'], 'ORU_R01(PATIENT_RESULT(ORDER_OBSERVATION(OBR1 OBSERVATION(OBX1))))'],
  ])('%s', (_name, segments, expected) => {
    expect(oru(...segments)).toBe(expected);
  });

  it('holds every segment once, in its order, whatever comes', () => {
    const names = fc.constantFrom('PID', 'PD1', 'NTE', 'PV1', 'ORC', 'OBR', 'OBX', 'TQ1', 'SPM', 'ZZZ', 'DSC', 'MSH');
    fc.assert(
      fc.property(fc.array(names, { maxLength: 25 }), (segments) => {
        const numbered = segments.map((name, i) => `${name}${i}`);
        expect(oru(...numbered).match(/[A-Z][A-Z0-9]{2}\d+(?![\w(])/g) ?? []).toEqual(
          numbered.map((name) => (name.startsWith('MSH') ? 'MSH|' : name)).filter((name) => name !== 'MSH|'),
        );
      }),
    );
  });
});
