export * from './post.js';
export * from './role-messages.js';
