import canonicalize from 'canonicalize';

/**
 * RFC 8785 (JSON Canonicalization Scheme) text of `value`. What is hashed, signed or anchored is made by this once and
 * then kept as text: a re-parsed object is never canonicalised again to be compared.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('a value that JSON cannot hold was to be canonicalised');
  return text;
}
