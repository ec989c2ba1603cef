import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../../world/repository.js';

/** What a network runs with, as `tools/engines/fabric/install.mjs` prints it. */
export interface FabricEngine {
  /** Folder of programs, each checked against the sum of what was built. */
  readonly bin: string;
  /** Folder of Fabric's sample `core.yaml` and `orderer.yaml`. */
  readonly config: string;
  readonly version: string;
}

const ABSENT = 3;

/**
 * Builds Fabric into the user's cache where it is not there yet. Answers with what is absent where the machine lacks Go; throws with the
 * installer's words where it failed otherwise.
 */
export async function fabricEngine(say: (text: string) => void = () => undefined): Promise<FabricEngine | { readonly absent: string }> {
  const { code, out, told } = await install(say);
  if (code === ABSENT) return { absent: told.trim() };
  const line = out.trim().split('\n').at(-1) ?? '';
  if (code !== 0) throw new Error(`Fabric could not be installed: ${told.trim()}`);
  return JSON.parse(line) as FabricEngine;
}

async function install(say: (text: string) => void): Promise<{ code: number | null; out: string; told: string }> {
  const child = spawn(process.execPath, [join(repository, 'tools/engines/fabric/install.mjs')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, told] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    say(text.trimEnd());
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, told }));
  });
}
