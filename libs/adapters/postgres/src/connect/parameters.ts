import { storable } from './sql.js';

/** Parameters of one statement: each value becomes $1, $2 … */
export class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown, cast = ''): string {
    this.values.push(typeof value === 'string' ? storable(value) : value);
    return `$${this.values.length}${cast}`;
  }
}
