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
