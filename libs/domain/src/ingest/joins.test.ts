import { describe, expect, it } from 'vitest';
import { joinedPatient, keptJoined, partedPatient } from './joins.js';

const link = (type: string, id: string): { other: { reference: string }; type: string } => ({
  other: { reference: `Patient/${id}` },
  type,
});
const goes = { resourceType: 'Patient', id: 'b', birthDate: '1971-01-01', active: true };
const said = { resourceType: 'Patient', id: 'b', active: false, link: [link('replaced-by', 'a')] };

describe('a Patient whose source joined it to another', () => {
  it('keeps what is known of it, names the other, and is active no more', () => {
    expect(joinedPatient(goes, said)).toEqual({ ...goes, active: false, link: [link('replaced-by', 'a')] });
  });

  it('is the same when it is said again', () => {
    expect(joinedPatient(joinedPatient(goes, said), said)).toEqual(joinedPatient(goes, said));
  });

  it('stays joined when its own source sends it again', () => {
    const stands = joinedPatient(goes, said);
    expect(keptJoined({ ...goes, birthDate: '1971-01-02' }, stands)).toEqual({ ...stands, birthDate: '1971-01-02' });
    expect(keptJoined(goes, { ...goes, link: [link('seealso', 'c')] })).toEqual({ ...goes, link: [link('seealso', 'c')] });
    expect(keptJoined(goes, { ...goes, link: [link('refer', 'c')] })).toBe(goes);
  });

  it('keeps its other links when it is parted, and is inactive only by its own source’s word', () => {
    const both = { ...goes, link: [link('seealso', 'c'), link('replaced-by', 'a')], active: false };
    expect(partedPatient(both, new Set(['Patient/a']))).toEqual({
      resourceType: 'Patient',
      id: 'b',
      birthDate: '1971-01-01',
      link: [link('seealso', 'c')],
    });
    const stays = { ...goes, link: [link('replaces', 'b')], active: false };
    expect(partedPatient(stays, new Set(['Patient/b']))).toEqual({ ...goes, active: false });
  });

  it('is left alone where it is not joined to them', () => {
    const stands = joinedPatient(goes, said);
    expect(partedPatient(stands, new Set(['Patient/z']))).toBe(stands);
  });
});
