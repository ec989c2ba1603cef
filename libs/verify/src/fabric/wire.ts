import { PortolanError } from '@portolan/contracts';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { textOf } from '../bytes/bytes.js';

/** One field of a message: where it stands and how it is read. */
export interface Field<T> {
  readonly no: number;
  readonly wire: WireType;
  /** What an absent field is (proto3's default). */
  readonly absent: T;
  /** How often it may stand, where it is a list. */
  readonly most?: number;
  /** The value of one occurrence. */
  readonly read: (reader: BinaryReader, where: string) => unknown;
}

/** Every field that a message may have. Shapes never contain themselves, so no input can make decoding recurse deeper than they do. */
export type Shape = Readonly<Record<string, Field<unknown>>>;
export type Message<S extends Shape> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };

/**
 * Decodes a protobuf message of a known shape. Strict: known fields alone, each of its wire type, in ascending order, singular ones
 * once, lists bounded, varints as short as they can be, no byte behind. That is how Fabric's own encoders write, and one message has one text.
 * `verify.protobuf-malformed` otherwise, at the field.
 */
export function decode<S extends Shape>(bytes: Uint8Array, shape: S, where: string): Message<S> {
  const found: Record<string, unknown> = {};
  for (const [name, { absent }] of Object.entries(shape)) found[name] = absent;
  try {
    readFields(new BinaryReader(bytes), shape, found, where);
  } catch (error) {
    throw error instanceof PortolanError ? error : malformed(where);
  }
  return found as Message<S>;
}

function readFields(reader: BinaryReader, shape: Shape, found: Record<string, unknown>, where: string): void {
  const fields = new Map(Object.entries(shape).map(([name, field]) => [field.no, { name, field }]));
  let last = 0;
  let times = 0;
  while (reader.pos < reader.len) {
    const [no, wire] = tagOf(reader, where);
    const known = fields.get(no);
    times = no === last ? times + 1 : 1;
    if (known === undefined || known.field.wire !== wire || no < last) throw malformed(`${where} field ${no}`);
    const place = `${where}.${known.name}`;
    if (times > (known.field.most ?? 1)) throw malformed(`${place} stands too often`);
    const value = known.field.read(reader, place);
    if (known.field.most === undefined) found[known.name] = value;
    else if (times === 1) found[known.name] = [value];
    else (found[known.name] as unknown[]).push(value);
    last = no;
  }
}

/** A `bytes` field: a view of the message's bytes. */
export const bytes = (no: number): Field<Uint8Array> => singular(no, WireType.LengthDelimited, new Uint8Array(0), bytesOf);

/** A `string` field, UTF-8. */
export const text = (no: number): Field<string> =>
  singular(no, WireType.LengthDelimited, '', (reader, where) => textOf(bytesOf(reader, where)));

/** An integer or enumeration that is never negative and at most 2^53 - 1. */
export const count = (no: number): Field<number> => singular(no, WireType.Varint, 0, countOf);

export const flag = (no: number): Field<boolean> => singular(no, WireType.Varint, false, flagOf);

/** A flag that may stand but not be set: some encoders write also what is absent. */
export const unset = (no: number): Field<boolean> =>
  singular(no, WireType.Varint, false, (reader, where) => {
    if (flagOf(reader, where)) throw malformed(where);
    return false;
  });

/** A message within; undefined where it is absent. */
export const inner = <S extends Shape>(no: number, shape: S): Field<Message<S> | undefined> =>
  singular<Message<S> | undefined>(no, WireType.LengthDelimited, undefined, (reader, where) =>
    decode(bytesOf(reader, where), shape, where),
  );

/** A repeated message. */
export const list = <S extends Shape>(no: number, shape: S, most: number): Field<readonly Message<S>[]> =>
  repeated(no, most, (reader, where) => decode(bytesOf(reader, where), shape, where));

/** Repeated bytes. */
export const byteList = (no: number, most: number): Field<readonly Uint8Array[]> => repeated(no, most, bytesOf);

type Read<T> = (reader: BinaryReader, where: string) => T;

const singular = <T>(no: number, wire: WireType, absent: T, read: Read<T>): Field<T> => ({ no, wire, absent, read });

const repeated = <T>(no: number, most: number, read: Read<T>): Field<readonly T[]> => {
  return { no, wire: WireType.LengthDelimited, absent: [], most, read };
};

function tagOf(reader: BinaryReader, where: string): [number, WireType] {
  const start = reader.pos;
  const [no, wire] = reader.tag();
  demandShortest(reader.pos - start, no * 8 + wire, where);
  return [no, wire];
}

function bytesOf(reader: BinaryReader, where: string): Uint8Array {
  const start = reader.pos;
  const value = reader.bytes();
  demandShortest(reader.pos - start - value.length, value.length, where);
  return value;
}

function countOf(reader: BinaryReader, where: string): number {
  const start = reader.pos;
  const value = Number(reader.uint64());
  if (!Number.isSafeInteger(value)) throw malformed(where);
  demandShortest(reader.pos - start, value, where);
  return value;
}

function flagOf(reader: BinaryReader, where: string): boolean {
  const value = countOf(reader, where);
  if (value > 1) throw malformed(where);
  return value === 1;
}

/** A varint has seven bits a byte. */
function demandShortest(length: number, value: number, where: string): void {
  if (length !== Math.max(1, Math.ceil(value.toString(2).length / 7))) throw malformed(`${where} varint`);
}

const malformed = (where: string): PortolanError => new PortolanError('verify.protobuf-malformed', where);
