import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { keepJson } from '../world/files.js';

/*
 * A note in a world's folder says that its engines were started to stay: whoever plays on them meanwhile leaves them running.
 */
const keptFile = (folder: string): string => join(folder, 'stack.json');

export async function isKept(folder: string): Promise<boolean> {
  return (await readFile(keptFile(folder), 'utf8').catch(() => undefined)) !== undefined;
}

export const markKept = (folder: string): Promise<void> => keepJson(keptFile(folder), { v: 1, engines: 'kept running' });

export const unmarkKept = (folder: string): Promise<void> => rm(keptFile(folder), { force: true });
