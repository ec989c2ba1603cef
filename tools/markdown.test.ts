// What the documents point to is there: links, headings, and the paths that they name.
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, linksOf, pathsOf, snippetsOf } from './markdown.js';
import { projectFiles, root, textOf } from './sources.js';

const documents = projectFiles(/\.md$/);

/** Where a link of a document leads: a file of the repository, and a heading in it. Undefined for an address elsewhere. */
function destination(document: string, target: string): { file: string; anchor: string | undefined } | undefined {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  return { file: path === '' ? document : normalize(join(dirname(document), decodeURIComponent(path))), anchor };
}

function isBroken(document: string, target: string): boolean {
  const to = destination(document, target);
  if (to === undefined) return false;
  if (to.file.startsWith('..') || !existsSync(join(root, to.file))) return true;
  return to.anchor !== undefined && !anchorsOf(textOf(to.file)).has(to.anchor);
}

/** A path counts from the root or, in a package's own README, from there. */
const isThere = (document: string, path: string): boolean =>
  existsSync(join(root, path)) || existsSync(join(root, dirname(document), path));

describe('the documents', () => {
  it('are found', () => expect(documents).toContain('README.md'));

  it.each(documents)('%s leads only to what is there', (document) => {
    expect(linksOf(textOf(document)).filter(({ target }) => isBroken(document, target))).toEqual([]);
  });

  it.each(documents)('%s names only paths that are there', (document) => {
    expect(pathsOf(textOf(document)).filter(({ target }) => !isThere(document, target))).toEqual([]);
  });
});

describe('the reading of a document', () => {
  const text = [
    '# A `b` & c',
    '[one](x.md#y) and `[no](z.md)`',
    '```sh',
    '[no](z.md)',
    '```',
    '<!-- why -->',
    '',
    '```',
    'x',
    '```',
    '`libs/a.ts` `libs/<cc>/b`',
  ].join('\n');

  it('finds links outside code', () => expect(linksOf(text)).toEqual([{ target: 'x.md#y', line: 2 }]));
  it('finds paths without placeholders', () => expect(pathsOf(text)).toEqual([{ target: 'libs/a.ts', line: 11 }]));
  it('makes anchors as GitHub does', () => expect([...anchorsOf(text)]).toEqual(['a-b--c']));
  it('finds snippets and the remark above them', () =>
    expect(snippetsOf(text)).toEqual([
      { language: 'sh', code: '[no](z.md)', line: 3, remark: undefined },
      { language: '', code: 'x', line: 8, remark: 'why' },
    ]));
  it.each([['gone.md'], ['../outside.md'], ['#no-such-heading']])('%s is a broken link', (target) =>
    expect(isBroken('libs/countries/README.md', target)).toBe(true),
  );
  it.each([['https://example.org/x'], ['../formats/README.md'], ['#countries']])('%s is none', (target) =>
    expect(isBroken('libs/countries/README.md', target)).toBe(false),
  );
});
