import { runNode } from '@portolan/nest/run-node';

await runNode(process.argv.slice(2), 'exchange');
