import 'reflect-metadata';

export { startOrderer } from './compose/start-orderer.js';
export { startNode, type RunningNode } from './compose/start-node.js';
export { readNodeConfig } from './config/read-node-config.js';
export type { LogSink } from './runtime/logger.js';
export { runNode, untilStopped } from './compose/run-node.js';
export { fabricClient, type FabricClientName } from './compose/fabric-client.js';
export * from './inspect.js';
