import { describe, expect, it } from 'vitest';
import { leafHash, PrefixRoots, readJws, treeHash } from './hashing.js';

/** The test vectors of Certificate Transparency's reference implementation. */
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((hex) =>
  leafHash(Buffer.from(hex, 'hex')),
);

describe('the Merkle tree hash (RFC 6962)', () => {
  it.each([
    [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('of %i leaves', (size, root) => expect(treeHash(leaves.slice(0, size))).toBe(root));
});

it('hashes each beginning of a list as if it were the list', () => {
  const many = Array.from({ length: 70 }, (_, n) => leafHash(String(n)));
  const roots = new PrefixRoots(many);
  for (let size = 0; size <= 70; size += 1) expect(roots.of(size)).toBe(treeHash(many.slice(0, size)));
  expect(roots.of(71)).toBe('');
});

describe('a compact JWS', () => {
  // RFC 7515, appendix A.3
  const key = {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  };
  const text =
    'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.' +
    'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q';

  it('is read and its signature verified', () => {
    const jws = readJws<{ iss: string }>(text);
    expect(jws.payload.iss).toBe('joe');
    expect(jws.signedBy(key)).toBe(true);
  });
  it('is refused with one character changed', () => expect(readJws(text.replace('fQ.D', 'fQ.E')).signedBy(key)).toBe(false));
});
