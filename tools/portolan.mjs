#!/usr/bin/env node
// The `portolan` command as npm and npx start it: readies the clone, then hands over to the CLI under the right Node.
import { join } from 'node:path';
import { run } from './bootstrap.mjs';
import { root } from './bootstrap/places.mjs';

await run(['node', '--enable-source-maps', join(root, 'apps/cli/dist/main.js'), ...process.argv.slice(2)]);
