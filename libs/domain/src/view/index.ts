export * from './adopt-item.js';
export * from './changed-elements.js';
export * from './read-view.js';
export { fromReadersWords, inReadersWords } from './in-readers-words.js';
export type { ReadersWords } from './readers-words.js';
