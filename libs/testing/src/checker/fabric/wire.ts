/**
 * Fields of one protobuf message by their number (protobuf.dev, encoding): varints and length-delimited ones, which is all that Fabric's
 * messages consist of. It is read here by hand, since the nodes' libraries are what is being checked.
 */
export class Message {
  private readonly fields = new Map<number, (number | Buffer)[]>();

  constructor(bytes: Buffer) {
    for (const reader = new Reader(bytes); !reader.isAtEnd;) {
      const key = reader.varint();
      const value = reader.value(key & 7);
      const number = key >>> 3;
      const others = this.fields.get(number);
      if (others === undefined) this.fields.set(number, [value]);
      else others.push(value);
    }
  }

  all(number: number): Buffer[] {
    return (this.fields.get(number) ?? []).filter((value) => typeof value !== 'number');
  }

  bytes(number: number): Buffer {
    return this.all(number).at(-1) ?? Buffer.alloc(0);
  }

  text(number: number): string {
    return this.bytes(number).toString('utf8');
  }

  number(number: number): number {
    const value = this.fields.get(number)?.at(-1);
    return typeof value === 'number' ? value : 0;
  }

  /** The message under this field, and under those below it. */
  in(...path: readonly number[]): Message {
    const [first, ...rest] = path;
    return first === undefined ? this : new Message(this.bytes(first)).in(...rest);
  }
}

/** Reads varints and byte strings one after the other. */
export class Reader {
  constructor(
    private readonly bytes: Buffer,
    private place = 0,
  ) {}

  get isAtEnd(): boolean {
    return this.place >= this.bytes.length;
  }

  /** Values above 2^53 do not occur in what is read here. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.place++];
      if (byte === undefined) throw new Error('a message ends in the middle of a number');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  string(): Buffer {
    const length = this.varint();
    const end = this.place + length;
    if (end > this.bytes.length) throw new Error('a message ends in the middle of a field');
    const found = this.bytes.subarray(this.place, end);
    this.place = end;
    return found;
  }

  value(wireType: number): number | Buffer {
    if (wireType === 0) return this.varint();
    if (wireType === 2) return this.string();
    throw new Error(`a field of wire type ${wireType}`);
  }
}
