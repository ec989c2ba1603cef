import { runNode } from '@portolan/nest';

await runNode(process.argv.slice(2), 'edge');
