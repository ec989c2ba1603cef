export * from './close.row.js';
