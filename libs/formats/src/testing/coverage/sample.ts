/** `count` of `items` at random, the same for the same seed (mulberry32, by Tommy Ettinger, public domain). */
export function sample<T>(items: readonly T[], count: number, seed: number): T[] {
  const left = [...items];
  const chosen: T[] = [];
  let state = seed;
  while (chosen.length < count && left.length > 0) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    chosen.push(...left.splice((mixed >>> 0) % left.length, 1));
  }
  return chosen;
}
