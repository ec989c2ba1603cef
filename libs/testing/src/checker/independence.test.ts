import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = dirname(fileURLToPath(import.meta.url));
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
);

/** What it checks was made by the nodes' code: were it to share that, a mistake would be made twice and seen by nobody. */
it.each(sources)('%s shares no code with the nodes', (name) => {
  const imports = [...readFileSync(`${folder}/${name}`, 'utf8').matchAll(/^(?:import|export) [^']*from '([^']+)';$/gm)].map(
    ([, from]) => from,
  );
  const own = (from: string): boolean => from.startsWith('.') && resolve(folder, dirname(name), from).startsWith(join(folder, '/'));
  expect(imports.filter((from = '') => !own(from) && !/^(?:node:|@portolan\/postgres$)/.test(from))).toEqual([]);
});

it('asks PostgreSQL through one function, and nothing else of its adapter', () => {
  const named = sources.flatMap((name) =>
    [...readFileSync(`${folder}/${name}`, 'utf8').matchAll(/import \{ ([^}]+) \} from '@portolan\/postgres'/g)].map(([, names]) => names),
  );
  expect(new Set(named.flatMap((names) => names?.split(', ')))).toEqual(new Set(['adminQuery', 'type DatabaseAddress']));
});
