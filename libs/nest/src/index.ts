import 'reflect-metadata';

export { startNode, type RunningNode } from './compose/start-node.js';
export { readNodeConfig } from './config/read-node-config.js';
export type { LogSink } from './runtime/logger.js';
