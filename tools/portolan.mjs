#!/usr/bin/env node
// The `portolan` command as npm and npx start it: readies the clone, then hands over to the CLI under the right Node.
import { join } from 'node:path';
import { run } from './bootstrap.mjs';
import { root } from './bootstrap/places.mjs';

// V8 guesses from a sample which objects live long, and puts the like of them into old memory at once. Of translations it guesses wrong now and then:
// each document's objects then stay until the whole heap is cleared, and a batch file took 720 MB where it takes 300. It brings no speed here.
const flags = ['--enable-source-maps', '--no-allocation-site-pretenuring'];

await run(['node', ...flags, join(root, 'apps/cli/dist/main.js'), ...process.argv.slice(2)]);
