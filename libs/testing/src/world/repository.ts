import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone's root: this file lies in libs/testing/{src,dist}/world. */
export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');
