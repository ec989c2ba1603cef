import { createRequire } from 'node:module';
import { expect, it } from 'vitest';

it('the door of an app loads no role before it is started, and of Fabric nothing before a node is on it', async () => {
  await import('./run-node.js');
  // Packages of CommonJS stand here as soon as they are loaded, by whoever.
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  const isLoaded = (name: string): boolean => loaded.some((file) => file.replaceAll('\\', '/').includes(`/node_modules/${name}/`));
  // What every role needs: the list is not empty for another reason.
  expect(isLoaded('kafkajs')).toBe(true);
  expect(['koa', '@grpc/grpc-js', '@hyperledger/fabric-protos'].filter(isLoaded)).toEqual([]);
});
