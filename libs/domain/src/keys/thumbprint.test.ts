import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { jwkThumbprint } from './thumbprint.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

describe('jwkThumbprint', () => {
  it('is the SHA-256 of the required members in lexicographic order, whatever else the key carries (RFC 7638, section 3)', () => {
    // The P-256 key of RFC 7517, appendix A.1.
    const key = {
      kty: 'EC',
      crv: 'P-256',
      x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
      y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
    } as const;
    const text = `{"crv":"P-256","kty":"EC","x":"${key.x}","y":"${key.y}"}`;
    const expected = createHash('sha256').update(text).digest('base64url');
    expect(jwkThumbprint(key, sha256)).toBe(expected);
    expect(jwkThumbprint({ use: 'sig', ...key } as never, sha256)).toBe(expected);
    expect(expected).toHaveLength(43);
  });
});
