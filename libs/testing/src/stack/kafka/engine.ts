import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../../world/repository.js';

/** What a broker runs with, as `tools/engines/kafka/install.mjs` prints it. */
export interface KafkaEngine {
  /** Folder of jars, each checked against its pin. */
  readonly jars: string;
  readonly java: string;
  /** Class-data archive of this Java and these jars; may not be there yet. */
  readonly archive: string;
  readonly version: string;
}

const ABSENT = 3;

/**
 * Installs Kafka into the user's cache where it is not there yet. Answers with what is absent where the machine lacks Java or Maven;
 * throws with the installer's words where it failed otherwise.
 */
export async function kafkaEngine(say: (text: string) => void = () => undefined): Promise<KafkaEngine | { readonly absent: string }> {
  const { code, out, told } = await install(say);
  if (code === ABSENT) return { absent: told.trim() };
  const line = out.trim().split('\n').at(-1) ?? '';
  if (code !== 0) throw new Error(`Kafka could not be installed: ${told.trim()}`);
  return JSON.parse(line) as KafkaEngine;
}

async function install(say: (text: string) => void): Promise<{ code: number | null; out: string; told: string }> {
  const child = spawn(process.execPath, [join(repository, 'tools/engines/kafka/install.mjs')], { stdio: ['ignore', 'pipe', 'pipe'] });
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
