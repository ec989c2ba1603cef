import { describe, expect, it } from 'vitest';
import { lawful } from './lawful.js';
import { keyText, type Decision, type StateKey, type Values } from './rule.js';

const caller = { org: 'EE', role: 'notary' } as const;
const own: StateKey = { space: 'owned', owner: 'EE', key: 'a' };
const others: StateKey = { space: 'owned', owner: 'PT', key: 'a' };
const bytes = new Uint8Array([1]);
const judge = (key: StateKey, reads: StateKey[], values: Values = new Map(), again = {}): Decision =>
  lawful({ ok: true, writes: [{ key, bytes, ...again }] }, caller, reads, values);
const taken: Values = new Map([[keyText(own), { hash: 'ab' }]]);

describe('whatever a rule decides', () => {
  it('a key that was read and holds nothing is written', () => expect(judge(own, [own]).ok).toBe(true));
  it("another's collection is not", () => expect(judge(others, [others])).toMatchObject({ ok: false, code: 'ledger.not-owner' }));
  it('a key that holds something is not', () =>
    expect(judge(own, [own], taken)).toMatchObject({ ok: false, code: 'ledger.already-written' }));
  it('unless it is one that is written again', () => expect(judge(own, [own], taken, { again: true }).ok).toBe(true));
  it('a key that was not read is a mistake of the rule', () => expect(() => judge(own, [])).toThrow(TypeError));
  it('a refusal stays one', () => {
    const refused = { ok: false, code: 'ledger.args-invalid', where: 'x' } as const;
    expect(lawful(refused, caller, [], new Map())).toBe(refused);
  });
});
