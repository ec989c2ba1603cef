import { EmbeddedCluster } from '../cluster/embedded-cluster.js';

/** A process that starts the cluster of the folder it is given, says so, and then waits to be killed. */
const cluster = new EmbeddedCluster({ dataFolder: process.argv[3] ?? '', fsync: false });
const { port } = await cluster.start();
process.stdout.write(`${JSON.stringify({ port, pid: (await cluster.process())?.pid })}\n`);
setInterval(() => undefined, 60_000);
