interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly settle: PromiseWithResolvers<Answer>;
}

/**
 * Work that costs little more for many than for one: what comes while it is under way waits and goes together next, in its order. Nothing waits for
 * company: what comes first, with whatever came in the same turn of the process, goes at once.
 */
export class Together<Item, Answer> {
  private waiting: Waiting<Item, Answer>[] = [];
  private isBusy = false;

  /** `work` answers for each item, in their order, or throws for all of them; at most `most` at once. */
  constructor(
    private readonly work: (items: readonly Item[]) => Promise<readonly Answer[]>,
    private readonly most: number,
  ) {}

  /** Resolves with the item's answer; rejects with what was thrown for those it went with. */
  do(item: Item): Promise<Answer> {
    const settle = Promise.withResolvers<Answer>();
    this.waiting.push({ item, settle });
    if (!this.isBusy) void this.run();
    return settle.promise;
  }

  private async run(): Promise<void> {
    this.isBusy = true;
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) await this.go(this.waiting.splice(0, this.most));
    this.isBusy = false;
  }

  private async go(group: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.work(group.map(({ item }) => item));
      for (const [i, { settle }] of group.entries()) settle.resolve(answers[i] as Answer);
    } catch (error) {
      for (const { settle } of group) settle.reject(error);
    }
  }
}

/**
 * Work in which one item that cannot be done undoes the others with it: those that come together are tried together, and where that fails each
 * is done by itself and has an outcome of its own.
 */
export class TogetherOrAlone<Item> {
  private readonly together: Together<Item, PromiseSettledResult<void>>;

  constructor(
    private readonly work: (items: readonly Item[]) => Promise<void>,
    most: number,
  ) {
    this.together = new Together<Item, PromiseSettledResult<void>>((items) => this.all(items), most);
  }

  /** Rejects with what was thrown for this item alone. */
  async do(item: Item): Promise<void> {
    const outcome = await this.together.do(item);
    if (outcome.status === 'rejected') throw outcome.reason;
  }

  private async all(items: readonly Item[]): Promise<readonly PromiseSettledResult<void>[]> {
    if (items.length > 1)
      try {
        await this.work(items);
        return items.map(() => ({ status: 'fulfilled', value: undefined }));
      } catch {
        // One of them, or their company: by itself each has an outcome of its own.
      }
    return Promise.allSettled(items.map((item) => this.work([item])));
  }
}
