import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../world/repository.js';

const ABSENT = 3;

/**
 * Runs an installer of tools/engines, which brings what is not there yet into the user's cache, and answers with what it printed. Answers with
 * what is absent where the machine lacks what we cannot bring; throws with the installer's words where it failed otherwise.
 */
export async function installed<Engine>(
  name: string,
  say: (text: string) => void = () => undefined,
): Promise<Engine | { readonly absent: string }> {
  const { code, out, told } = await run(join(repository, `tools/engines/${name}/install.mjs`), say);
  if (code === ABSENT) return { absent: told.trim() };
  if (code !== 0) throw new Error(`${name} could not be installed: ${told.trim()}`);
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Engine;
}

async function run(installer: string, say: (text: string) => void): Promise<{ code: number | null; out: string; told: string }> {
  const child = spawn(process.execPath, [installer], { stdio: ['ignore', 'pipe', 'pipe'] });
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
