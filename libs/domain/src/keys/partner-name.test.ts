import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePartnerName, partnerCommonName } from './partner-name.js';

const kid = 'A-_'.padEnd(43, 'x');

describe('the common name of a partner certificate', () => {
  it('reads back what it wrote, also where the key id holds hyphens', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z][A-Z0-9]{1,7}$/), fc.stringMatching(/^[A-Za-z0-9_-]{43}$/), (org, key) => {
        expect(parsePartnerName(partnerCommonName({ org, kid: key }))).toEqual({ org, kid: key });
      }),
    );
  });

  it.each([
    ['lower case', `ee-${kid}`],
    ['no country', `-${kid}`],
    ['short key id', 'EE-abc'],
    ['long key id', `EE-${kid}x`],
    ['a line break behind', `EE-${kid}\n`],
    ['another name', 'inbox.EE'],
    ['nothing', ''],
  ])('is not read from %s', (_what, text) => {
    expect(parsePartnerName(text)).toBeUndefined();
  });

  it('is not written for a key id that is no thumbprint', () => {
    expect(() => partnerCommonName({ org: 'EE', kid: 'short' })).toThrow(TypeError);
  });
});
