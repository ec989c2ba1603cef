import { testCluster } from './test-cluster.js';

/** A process with a test cluster, which says where that is and waits to be killed. */
const { cluster } = await testCluster();
process.stdout.write(`${JSON.stringify(await cluster.process())}\n`);
setInterval(() => undefined, 60_000);
