export * from './adopt-item.js';
export * from './changed-elements.js';
export * from './read-view.js';
