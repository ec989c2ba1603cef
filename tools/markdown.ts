/** A link of a Markdown text: where it leads, and on which line it stands. */
export interface MarkdownLink {
  readonly target: string;
  readonly line: number;
}

/** The links of a Markdown text outside its code. */
export function linksOf(markdown: string): MarkdownLink[] {
  return prose(markdown).flatMap(({ text, line }) =>
    [...text.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map(([, target = '']) => ({ target, line })),
  );
}

/** Repository paths that a Markdown text names in code spans: `libs/verify/src/index.ts`. Patterns and placeholders are no paths. */
export function pathsOf(markdown: string): MarkdownLink[] {
  return prose(markdown).flatMap(({ text, line }) =>
    [...text.matchAll(/`((?:apps|libs|tools|docs|deploy|helm|docker)\/[^`\s]*)`/g)]
      .map(([, target = '']) => ({ target, line }))
      .filter(({ target }) => !/[<>*{}…#()]/.test(target)),
  );
}

/** The anchors of a Markdown text's headings, as GitHub makes them. */
export function anchorsOf(markdown: string): Set<string> {
  const seen = new Map<string, number>();
  const headings = prose(markdown).flatMap(({ text }) => /^#{1,6}\s+(.*)$/.exec(text)?.[1] ?? []);
  return new Set(
    headings.map((heading) => {
      const slug = heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-');
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}

/** A fenced block of a Markdown text, and the HTML comment just above it. */
export interface Snippet {
  readonly language: string;
  readonly code: string;
  readonly line: number;
  readonly remark: string | undefined;
}

export function snippetsOf(markdown: string): Snippet[] {
  const lines = markdown.split('\n');
  const fences = lines.flatMap((text, index) => (text.startsWith('```') ? [index] : []));
  return fences.flatMap((opening, i) => {
    const closing = fences[i + 1];
    if (i % 2 === 1 || closing === undefined) return [];
    const above = lines.slice(0, opening).findLast((text) => text.trim() !== '') ?? '';
    return {
      language: (lines[opening] ?? '').slice(3).trim(),
      code: lines.slice(opening + 1, closing).join('\n'),
      line: opening + 1,
      remark: /^<!--\s*(.*?)\s*-->$/.exec(above)?.[1],
    };
  });
}

/** The lines of a Markdown text that stand in no fenced block. */
function prose(markdown: string): { text: string; line: number }[] {
  let fenced = false;
  return markdown.split('\n').flatMap((text, index) => {
    const fence = text.startsWith('```');
    if (fence) fenced = !fenced;
    return fence || fenced ? [] : [{ text, line: index + 1 }];
  });
}
