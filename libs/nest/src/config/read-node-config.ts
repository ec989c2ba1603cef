import { readFile } from 'node:fs/promises';
import { parseBounded, PortolanError, Validators, type NodeConfig } from '@portolan/contracts';

const MAX_CONFIG_CHARS = 1_000_000;

/** A node's configuration file; `config.unreadable` or `config.invalid`, naming the field that is missing or wrong. */
export async function readNodeConfig(file: string): Promise<NodeConfig> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new PortolanError('config.unreadable', 'node configuration');
  });
  const config = new Validators().check<NodeConfig>(
    'node-config',
    parseBounded(text, MAX_CONFIG_CHARS, 'config.invalid', 'node configuration'),
    'config.invalid',
    'node configuration',
  );
  const demoOnly = config.mode !== 'demo' && (config.demoOpenid !== undefined || config.checkpointFile !== undefined);
  if (demoOnly) throw new PortolanError('config.demo-only', 'node configuration', 'demoOpenid, checkpointFile');
  return config;
}
