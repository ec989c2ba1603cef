import { createHash } from 'node:crypto';
import { englishWords, type DemoAccount, type LoginPageWords } from './config.js';

const style = `
:root { color-scheme: light dark; --ink: #14283c; --paper: #fbfaf6; --line: #9db0bf; --mark: #9a3412 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eef3; --paper: #101b26; --line: #4b6173; --mark: #fdba74 } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 0 auto; padding: 3rem 1.25rem }
h1 { margin: 0 0 .25rem; font: 600 1.75rem/1.2 Georgia, serif }
.country { margin: 0 0 1.5rem; letter-spacing: .08em; text-transform: uppercase; font-size: .875rem }
.note { border-left: .25rem solid var(--mark); padding-left: .75rem }
ul { list-style: none; margin: 2rem 0 0; padding: 0 }
button { display: flex; width: 100%; gap: 1rem; justify-content: space-between; margin: 0 0 .625rem; padding: .875rem 1rem;
  border: 1px solid var(--line); border-radius: .375rem; background: transparent; color: inherit; font: inherit; text-align: left; cursor: pointer }
button:hover, button:focus-visible { border-color: var(--mark); outline: 3px solid var(--mark); outline-offset: 1px }
.kind { opacity: .8 }
`;

/** Headers of every page here: nothing is loaded, nothing is run, nothing is kept, nobody frames it. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** The page that lists a country's demo persons; one click logs in, without JavaScript. `action` is where the form goes. */
export function loginPage(country: string, accounts: readonly DemoAccount[], action: string, words: LoginPageWords = englishWords): string {
  const items = accounts.map(
    (account) =>
      `<li><button name="account" value="${escapeHtml(account.id)}"><span>${escapeHtml(account.name)}</span> <span class="kind">${escapeHtml(words.kinds[account.kind])}</span></button></li>`,
  );
  return page(
    words,
    `<p class="country">Portolan · ${escapeHtml(country)}</p>
<h1>${escapeHtml(words.heading)}</h1>
<p class="note">${escapeHtml(words.note)}</p>
<form method="post" action="${escapeHtml(action)}"><ul>
${items.join('\n')}
</ul></form>`,
  );
}

/** The page for a login that cannot go on. `code` is an OAuth error code, or absent where the login has expired. */
export function errorPage(words: LoginPageWords = englishWords, code?: string): string {
  return page(words, `<h1>${escapeHtml(words.expired)}</h1>${code === undefined ? '' : `<p><code>${escapeHtml(code)}</code></p>`}`);
}

function page(words: LoginPageWords, body: string): string {
  return `<!doctype html>
<html lang="${escapeHtml(words.language)}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(words.heading)}</title><style>${style}</style></head>
<body><main>
${body}
</main></body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char);
}
