import { parseBounded, type DataCategory, type ExchangeRequest } from '@portolan/contracts';
import { categoriesOf, isWithin, type StoredResource } from '../release/index.js';

const MAX_RESOURCE_CHARS = 10_000_000;

/** Requested categories of which something was gathered within the requested dates: what a permit may name. */
export function categoriesPresent(
  gathered: readonly StoredResource[],
  request: Pick<ExchangeRequest, 'categories' | 'since' | 'until'>,
): readonly DataCategory[] {
  const present = new Set<DataCategory>();
  for (const stored of gathered) {
    const resource = parseBounded(
      stored.text,
      MAX_RESOURCE_CHARS,
      'release.resource-unreadable',
      `${stored.type}/${stored.id}`,
    ) as Parameters<typeof categoriesOf>[0];
    if (!isWithin(resource, request.since, request.until)) continue;
    for (const category of categoriesOf(resource)) present.add(category);
  }
  return request.categories.filter((category) => present.has(category));
}
