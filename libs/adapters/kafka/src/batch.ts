/** What became of one record: done with, one way or the other, or to be tried again later. */
export type Fate = 'done' | 'later';

/**
 * Handles a batch: records of one key one after the other, those of several keys side by side, at most `most` at once. Answers with how
 * many from the front are done; where that is fewer than all, the next one is to be tried again. Once a record is to be tried later,
 * none of its key and no further one is begun.
 */
export async function handleBatch<T extends { readonly key: string }>(
  records: readonly T[],
  most: number,
  handle: (record: T) => Promise<Fate>,
  mayGoOn: () => boolean = () => true,
): Promise<number> {
  const fates: (Fate | undefined)[] = records.map(() => undefined);
  const last = new Map<string, Promise<unknown>>();
  const running = new Set<Promise<void>>();
  const failed = { yet: false };
  for (const [i, record] of records.entries()) {
    while (running.size >= most) await Promise.race(running);
    if (failed.yet || !mayGoOn()) break;
    const before = last.get(record.key);
    const one = (async (): Promise<void> => {
      await before;
      if (failed.yet) return;
      const fate = (fates[i] = await handle(record));
      failed.yet ||= fate === 'later';
    })();
    last.set(record.key, one);
    const tracked = one.finally(() => running.delete(tracked));
    running.add(tracked);
  }
  await Promise.all(running);
  const firstOpen = fates.findIndex((fate) => fate !== 'done');
  return firstOpen === -1 ? records.length : firstOpen;
}
