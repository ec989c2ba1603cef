import { describe, expect, it } from 'vitest';
import { scopeAllows, type ScopeAct } from './smart-scope.js';

interface Case {
  readonly why: string;
  readonly scopes: string;
  readonly type: string;
  readonly act: ScopeAct;
  readonly allowed: boolean;
}
const all = 'system/*.read';
const cases: readonly Case[] = [
  { why: 'version 1 read reads', scopes: all, type: 'Observation', act: 'r', allowed: true },
  { why: 'version 1 read searches', scopes: all, type: 'Patient', act: 's', allowed: true },
  { why: 'version 1 read does not write', scopes: all, type: 'Patient', act: 'u', allowed: false },
  { why: 'version 1 write updates', scopes: 'system/Patient.write', type: 'Patient', act: 'u', allowed: true },
  { why: 'version 1 write does not read', scopes: 'system/Patient.write', type: 'Patient', act: 'r', allowed: false },
  { why: 'version 1 star does all', scopes: 'system/*.*', type: 'Patient', act: 'd', allowed: true },
  { why: 'version 2 reads', scopes: 'system/Observation.rs', type: 'Observation', act: 'r', allowed: true },
  { why: 'another type', scopes: 'system/Observation.rs', type: 'Condition', act: 'r', allowed: false },
  { why: 'letter missing', scopes: 'system/Observation.r', type: 'Observation', act: 's', allowed: false },
  { why: 'all types asked, one given', scopes: 'system/Observation.cruds', type: '*', act: 'r', allowed: false },
  { why: 'all types asked and given', scopes: 'system/*.cruds', type: '*', act: 'r', allowed: true },
  { why: 'another context', scopes: 'user/*.read patient/*.read', type: 'Observation', act: 'r', allowed: false },
  { why: 'narrowed by a query', scopes: 'system/Observation.rs?category=laboratory', type: 'Observation', act: 'r', allowed: false },
  { why: 'letters out of order', scopes: 'system/Observation.sr', type: 'Observation', act: 'r', allowed: false },
  { why: 'no letters', scopes: 'system/Observation.', type: 'Observation', act: 'r', allowed: false },
  { why: 'one of several', scopes: 'openid system/Patient.r system/Observation.s', type: 'Observation', act: 's', allowed: true },
];

describe('SMART scopes', () => {
  it.each(cases)('$why', ({ scopes, type, act, allowed }) => {
    expect(scopeAllows(scopes.split(' '), 'system', type, act)).toBe(allowed);
  });
});
