import { keyOf, targetOf } from '../release/references.js';
import { objects, text, type JsonObject, type Resource } from '../release/resource.js';
import { findIn } from './pairs.js';
import { saysTheSame } from './says-the-same.js';

/**
 * Of entries that somebody judged to say the same (Linkage), which are left out of what is shown, each with the one that is shown instead:
 * `Type/id` → `Type/id`. Only where the other is shown too: whoever may not see the one sees the other. Only as long as the two still say the
 * same: a correction of either shows both again. Nothing of the record changes.
 */
export function shownOnce(shown: readonly Resource[], record: readonly Resource[]): ReadonlyMap<string, string> {
  const linkages = record.filter((one) => one.resourceType === 'Linkage' && one['active'] !== false);
  if (linkages.length === 0) return new Map();
  const [byKey, find] = [new Map(shown.map((one) => [keyOf(one), one])), findIn(record)];
  const same = (key: string, other: string): boolean => {
    const [one, its] = [byKey.get(key), byKey.get(other)];
    return one !== undefined && its !== undefined && saysTheSame(one, its, find);
  };
  const repeats = repeatsAmong(linkages, same);
  const instead = [...repeats.keys()].map((key) => [key, endOf(key, repeats)] as const);
  // What repeats a repetition need not say what the first does: where it contradicts that, it is shown.
  return new Map(instead.filter(([key, end]) => key !== end && same(key, end)));
}

/** Each entry that repeats another which is shown too; of several the first by name. */
function repeatsAmong(linkages: readonly Resource[], same: (key: string, other: string) => boolean): ReadonlyMap<string, string> {
  const repeats = new Map<string, string>();
  for (const linkage of linkages) {
    const [source = ''] = targetsOf(linkage, 'source');
    for (const alternate of targetsOf(linkage, 'alternate').filter((one) => same(one, source))) {
      const known = repeats.get(alternate);
      if (known === undefined || source < known) repeats.set(alternate, source);
    }
  }
  return repeats;
}

const targetsOf = (linkage: Resource, type: string): readonly string[] =>
  objects(linkage['item'])
    .filter((item: JsonObject) => item['type'] === type)
    .flatMap((item) => targetOf(text(item['resource'], 'reference') ?? '') ?? []);

/** Where repetitions lead in the end; of a circle its first by name, so that one is always shown. */
function endOf(key: string, repeats: ReadonlyMap<string, string>): string {
  const seen: string[] = [];
  let at = key;
  for (let next = repeats.get(at); next !== undefined; next = repeats.get(at)) {
    if (seen.includes(at)) return seen.slice(seen.indexOf(at)).toSorted()[0] ?? key;
    seen.push(at);
    at = next;
  }
  return at;
}
