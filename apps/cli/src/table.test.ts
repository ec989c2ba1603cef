import { expect, it } from 'vitest';
import { table } from './table.js';

it('aligns columns under their names', () => {
  expect(
    table(
      [
        { id: '7', code: 'ingest.malformed' },
        { id: '1234', code: 'x' },
      ],
      ['id', 'code'],
    ),
  ).toEqual(['id    code', '7     ingest.malformed', '1234  x']);
});
it('is empty without rows, and blank where a row lacks a column', () => {
  expect(table([], ['id'])).toEqual([]);
  expect(table<{ id: string; at?: string }>([{ id: '7' }, { id: '8', at: 'noon' }], ['at', 'id'])).toEqual([
    'at    id',
    '      7',
    'noon  8',
  ]);
});
it('lets no text from outside move the cursor', () => {
  expect(table([{ id: 'a\u001b[2Jb\nc' }], ['id'])[1]).toBe('a·[2Jb·c');
});
