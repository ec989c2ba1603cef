type Value = Uint8Array | undefined;

/** Values that are asked for within one turn of the event loop are read by one statement. */
export class ReadsOfATurn {
  private asked = new Map<string, PromiseWithResolvers<Value>>();

  /** `read` answers in the order of its keys. */
  constructor(private readonly read: (keys: readonly string[]) => Promise<readonly Value[]>) {}

  value(key: string): Promise<Value> {
    if (this.asked.size === 0) setImmediate(() => void this.go());
    const asked = this.asked.get(key) ?? Promise.withResolvers<Value>();
    this.asked.set(key, asked);
    return asked.promise;
  }

  private async go(): Promise<void> {
    const asked = this.asked;
    this.asked = new Map();
    try {
      const values = await this.read([...asked.keys()]);
      for (const [i, { resolve }] of [...asked.values()].entries()) resolve(values[i]);
    } catch (error) {
      for (const { reject } of asked.values()) reject(error);
    }
  }
}
