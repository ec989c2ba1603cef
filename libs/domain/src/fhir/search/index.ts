export { matchesSearch } from './match-search.js';
export * from './page.js';
export { parseSearch, type SearchOptions } from './parse-search.js';
export * from './search-parameters.js';
export type * from './search-query.js';
export * from './search-value.js';
export { MAX_SEARCH_VALUES, searchValues, type IndexOptions } from './search-values.js';
export * from './searchset.js';
export { ianaZone, UTC, type TimeZone } from './time-range.js';
