import { Column, type ColumnOptions } from 'typeorm';

const instantText = { to: (text: unknown) => text, from: (date: Date | null) => date?.toISOString() ?? null };

/** timestamptz to the millisecond, in TypeScript the text that every contract wants (RFC 3339, UTC). */
export const InstantColumn = (options: Pick<ColumnOptions, 'name' | 'nullable'> = {}): PropertyDecorator =>
  Column({ type: 'timestamptz', precision: 3, ...options, transformer: instantText });

/** timestamptz of the database's own clock, unrounded: "now" is due at once, not half a millisecond later. */
export const DueColumn = (options: Pick<ColumnOptions, 'name' | 'nullable'> = {}): PropertyDecorator =>
  Column({ type: 'timestamptz', ...options, transformer: instantText });

/** bytea: a ciphertext, a wrapped key, a hash. */
export const BytesColumn = (options: Pick<ColumnOptions, 'name' | 'nullable'> = {}): PropertyDecorator =>
  Column({ type: 'bytea', ...options });

/** bigint, in TypeScript a number: counts that stay below 2^53. */
export function CountColumn(options: Pick<ColumnOptions, 'name' | 'nullable' | 'primary'> = {}): PropertyDecorator {
  const transformer = { to: (count: unknown) => count, from: (text: string | null) => (text === null ? null : Number(text)) };
  const column: ColumnOptions = { ...options, type: 'bigint', transformer };
  return Column(column);
}

/** text that is compared by code unit (collation "C"), as TypeScript compares. */
export function CodeUnitColumn(options: Pick<ColumnOptions, 'name' | 'nullable' | 'primary'> = {}): PropertyDecorator {
  const column: ColumnOptions = { ...options, type: 'text', collation: 'C' };
  return Column(column);
}
