/**
 * Runs tasks of one key one after the other and tasks of several keys side by side. A task that fails takes with it those of its
 * key that were waiting behind it: what comes later must not arrive earlier.
 */
export class KeyOrder {
  private readonly last = new Map<string, Promise<void>>();

  /** Keys with a task that has not ended. */
  get size(): number {
    return this.last.size;
  }

  async run(key: string, task: () => Promise<void>): Promise<void> {
    const before = this.last.get(key);
    const mine = before === undefined ? task() : before.then(task);
    this.last.set(key, mine);
    try {
      await mine;
    } finally {
      if (this.last.get(key) === mine) this.last.delete(key);
    }
  }
}
