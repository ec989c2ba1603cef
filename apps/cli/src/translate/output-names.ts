import { basename } from 'node:path';

/**
 * A name for the results of each path, none twice: the file's own name with its ending; files of the same name in different folders get a
 * number behind it. Some file systems do not tell case apart, so neither does this.
 */
export function outputNames(paths: readonly string[]): string[] {
  const wanted = paths.map((path) => basename(path));
  const taken = new Set<string>();
  return wanted.map((name, place) => {
    // A later file that is really called so keeps its own name.
    const elsewhere = new Set(wanted.filter((_, other) => other !== place).map(folded));
    const free = (candidate: string): boolean => !taken.has(folded(candidate)) && (candidate === name || !elsewhere.has(folded(candidate)));
    let chosen = name;
    for (let n = 2; !free(chosen); n += 1) chosen = `${name}.${n}`;
    taken.add(folded(chosen));
    return chosen;
  });
}

const folded = (name: string): string => name.normalize('NFC').toLowerCase();
