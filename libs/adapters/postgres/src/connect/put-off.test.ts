import { expect, it } from 'vitest';
import { PutOff } from './put-off.js';

const said = (queue: PutOff): string[] => queue.take().map(({ text, values }) => `${text} ${JSON.stringify(values)}`);

it('rows of a kind are one statement, at the place of the last, each behind those that it came behind', () => {
  const queue = new PutOff();
  for (const id of [1, 2, 3]) {
    queue.addRow({ text: 'version' }, [id, 'v'], `${id}`);
    queue.addRow({ text: 'head' }, [id], `${id}`);
  }
  expect(said(queue)).toEqual(['version [[1,2,3],["v","v","v"]]', 'head [[1,2,3]]']);
  expect(queue.isEmpty).toBe(true);
});

it('a second row of the same key is a statement behind the first', () => {
  const queue = new PutOff();
  for (const [id, value] of [
    [1, 'a'],
    [2, 'a'],
    [1, 'b'],
    [3, 'a'],
    [1, 'c'],
  ])
    queue.addRow({ text: 'head' }, [id, value], `${id}`);
  expect(said(queue)).toEqual(['head [[1,2],["a","a"]]', 'head [[1,3],["b","a"]]', 'head [[1],["c"]]']);
});

it('a row never goes behind a statement of another sort; what nothing refers to before goes with the first of its kind', () => {
  const queue = new PutOff();
  for (const id of [1, 2]) {
    queue.addRow({ text: 'key', first: true }, [id]);
    queue.addRow({ text: 'event' }, [id]);
    queue.add({ text: 'delete', values: [id] });
  }
  expect(said(queue)).toEqual(['key [[1,2]]', 'event [[1]]', 'delete [1]', 'event [[2]]', 'delete [2]']);
});

it('after they were sent, and where there are many, rows begin another statement', () => {
  const queue = new PutOff();
  queue.addRow({ text: 'key', first: true }, [0]);
  expect(said(queue)).toEqual(['key [[0]]']);
  for (let i = 0; i < 257; i += 1) queue.addRow({ text: 'key', first: true }, [i]);
  expect(queue.take().map(({ values }) => (values[0] as number[]).length)).toEqual([256, 1]);
});
