export * from './request.row.js';
