import { PortolanError } from '@portolan/contracts';
import { serve } from './serve.js';

try {
  await serve(process.env);
} catch (error) {
  process.stderr.write(`${error instanceof PortolanError ? error.message : 'runtime.unexpected: the chaincode could not be served'}\n`);
  process.exit(1);
}
