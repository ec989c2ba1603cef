import { Client } from 'pg';
import { EmbeddedCluster } from '../cluster/embedded-cluster.js';
import { clientOptions } from '../connect/address.js';

/** A process that starts the cluster of the folder it is given, writes a row, says so, and then waits to be killed. */
const cluster = new EmbeddedCluster({ dataFolder: process.argv[3] ?? '', fsync: false });
const address = await cluster.start();
const client = new Client(clientOptions(address));
await client.connect();
await client.query('CREATE TABLE IF NOT EXISTS kept (at timestamptz); INSERT INTO kept VALUES (now())');
process.stdout.write(`${JSON.stringify({ port: address.port, pid: (await cluster.process())?.pid })}\n`);
setInterval(() => undefined, 60_000);
