import fc from 'fast-check';
import { PortolanError } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { readXml, rootName } from './index.js';

const read = (xml: string | Uint8Array): Record<string, string> =>
  Object.fromEntries(
    readXml(typeof xml === 'string' ? new TextEncoder().encode(xml) : xml, 10_000, { 'urn:own': '', 'urn:other': 'o' })
      .leaves()
      .map(({ path, value }) => [path, value ?? '']),
  );

describe('an XML document as nodes', () => {
  it('keeps order, white space, leading zeros and digits', () => {
    expect(read('<a x="007"><b> 1.50 </b><c/><b>007</b></a>')).toEqual({ 'a/@x': '007', 'a/b/#text': ' 1.50 ', 'a/b[2]/#text': '007' });
  });

  it('keeps mixed content in order, and CDATA as text', () => {
    expect(read('<a>one<b/>two<![CDATA[<&amp;>]]></a>')).toEqual({ 'a/#text': 'one', 'a/#text[2]': 'two<&amp;>' });
  });

  it('decodes the five entities and character references, once', () => {
    expect(read('<a x="&lt;&quot;&#228;">&amp;lt; &#xE4;&apos;</a>')).toEqual({ 'a/@x': '<"ä', 'a/#text': "&lt; ä'" });
  });

  it('names by namespace, whatever the prefix', () => {
    expect(read('<p:a xmlns:p="urn:own" xmlns:q="urn:other"><q:b q:x="1" y="2">t</q:b></p:a>')).toEqual({
      'a/o:b/@o:x': '1',
      'a/o:b/@y': '2',
      'a/o:b/#text': 't',
    });
    expect(read('<a xmlns="urn:own"><b xmlns="urn:other">t</b></a>')).toEqual({ 'a/o:b/#text': 't' });
  });

  it('gives every leaf a path of its own, also where prefixes differ', () => {
    expect(Object.keys(read('<a xmlns="urn:own" xmlns:p="urn:own"><b>1</b><p:b>2</p:b></a>'))).toEqual(['a/b/#text', 'a/b[2]/#text']);
  });

  it('reads the encoding that the declaration names', () => {
    const latin = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>ä</a>', 'latin1');
    expect(read(latin)).toEqual({ 'a/#text': 'ä' });
    const slavic = Buffer.from('<?xml version="1.0" encoding="ISO-8859-2"?><a>\xa3</a>', 'latin1');
    expect(read(slavic)).toEqual({ 'a/#text': 'Ł' });
    const wide = Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><a>Ł</a>', 'utf16le');
    expect(read(wide)).toEqual({ 'a/#text': 'Ł' });
    expect(read(wide.swap16())).toEqual({ 'a/#text': 'Ł' });
    expect(rootName(wide)).toBe('a');
    expect(read(Uint8Array.from([0xef, 0xbb, 0xbf, ...new TextEncoder().encode('<a>ä</a>')]))).toEqual({ 'a/#text': 'ä' });
  });

  it.each([
    ['a document type', '<!DOCTYPE a><a/>', 'ingest.malformed'],
    [
      'a document type after a comment',
      '<?xml version="1.0"?><!-- x --><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
      'ingest.malformed',
    ],
    ['an entity that nobody defined', '<a>&foo;</a>', 'ingest.malformed'],
    ['a bare ampersand', '<a x="a & b"/>', 'ingest.malformed'],
    ['a reference to a character that XML has not', '<a>&#0;</a>', 'ingest.malformed'],
    ['a control character', '<a>\u0001</a>', 'ingest.malformed'],
    ['tags that do not match', '<a><b></a></b>', 'ingest.malformed'],
    ['an end that is missing', '<a><b></b>', 'ingest.malformed'],
    ['an attribute twice', '<a x="1" x="2"/>', 'ingest.malformed'],
    ['two roots', '<a/><b/>', 'ingest.malformed'],
    ['text after the root', '<a/>x', 'ingest.malformed'],
    ['a prefix that is not declared', '<p:a/>', 'ingest.malformed'],
    ['no element', 'hello', 'ingest.malformed'],
    ['nothing', '', 'ingest.malformed'],
    ['depth without end', '<a>'.repeat(80) + '</a>'.repeat(80), 'ingest.malformed'],
    ['a name that a program could stumble over', '<__proto__ a="1"/>', 'ingest.malformed'],
    ['an encoding that is not read', '<?xml version="1.0" encoding="UTF-16"?><a/>', 'ingest.encoding-invalid'],
    ['a document type in UTF-16', Buffer.from('\ufeff<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'utf16le'), 'ingest.malformed'],
    [
      'UTF-16 that says to be something else',
      Buffer.from('<?xml version="1.0" encoding="UTF-8"?><a/>', 'utf16le'),
      'ingest.encoding-invalid',
    ],
    ['too many bytes', `<a>${'x'.repeat(10_000)}</a>`, 'ingest.too-large'],
  ])('refuses %s', (_name, xml, code) => {
    expect(() => read(xml)).toThrow(code);
  });

  it('refuses bytes that are not in the encoding', () => {
    expect(() => read(Uint8Array.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]))).toThrow('ingest.encoding-invalid');
  });

  it('names the root of what looks like XML, and never throws', () => {
    expect(rootName(new TextEncoder().encode('<?xml version="1.0"?>\n<!-- c --><p:Root x="1">'))).toBe('Root');
    for (const length of [900, 1010, 1024, 4090, 20_000, 65_000, 70_000]) {
      const text = `<!--${'c'.repeat(length)}--><Root x="1">${'<a/>'.repeat(20_000)}`;
      expect(rootName(new TextEncoder().encode(text)), `${length}`).toBe(length < 65_536 ? 'Root' : undefined);
    }
    fc.assert(fc.property(fc.uint8Array(), (bytes) => ['string', 'undefined'].includes(typeof rootName(bytes))));
  });

  it('keeps any text that XML can hold, and fails with a code else', () => {
    const escape = (text: string): string =>
      text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll('\r', '&#13;').replaceAll(']]>', ']]&gt;');
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        const kept = read(`<a><b>x${escape(text)}x</b></a>`)['a/b/#text'];
        expect(kept).toBe(`x${text}x`);
      }),
    );
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', 'a', '/', '"', '=', ' ', '&', '!', '-', '[', ']', '?', ':', ';') }),
        (text) => {
          try {
            read(`<a>${text}</a>`);
          } catch (error) {
            expect(error).toBeInstanceOf(PortolanError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
