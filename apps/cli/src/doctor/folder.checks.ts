import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeConfig } from '@portolan/contracts';
import { roles } from '@portolan/domain';
import { bad, good, looked, type Finding } from './finding.js';

/** Read, write and enter rights of everybody else on the machine. */
const OTHERS = 0o007;
/** Folders of the setup tool: their keys sign certificates and registry acts, and no running process needs them. */
const SETUP_ONLY = ['authority', 'governance'] as const;

/** The data folder: each role's part is there, nobody else may look in, and a product keeps no setup key beside the node. */
export async function folderFindings({ country, home, mode }: NodeConfig): Promise<readonly Finding[]> {
  const mend = 'Check that the folder exists and that you may read it; the setup tool makes what is missing';
  const found = await Promise.all(
    [...roles, ...SETUP_ONLY].map((name) => {
      const check = `${country} folder ${name}`;
      const wanted = roles.some((role) => role === name);
      return looked(check, mend, () => folderFinding(join(home, name), check, { wanted, product: mode === 'production' }));
    }),
  );
  return found.flat();
}

async function folderFinding(folder: string, check: string, { wanted, product }: { wanted: boolean; product: boolean }): Promise<Finding> {
  const about = await stat(folder).catch(() => undefined);
  if (about === undefined) return wanted ? bad(check, 'missing', 'Let the setup tool make it') : good(check, 'not on this machine');
  if (!wanted && product)
    return bad(check, 'lies beside a running node', 'Move it to the machine on which certificates and registry acts are signed');
  // Windows keeps no such bits.
  if (process.platform === 'win32') return good(check, 'is there');
  const open = await openFiles(folder);
  if ((about.mode & OTHERS) === 0 && open.length === 0) return good(check, 'for its owner alone');
  const [first = ''] = (about.mode & OTHERS) === 0 ? open : [folder];
  return bad(check, `everybody on this machine may look into ${first}`, `chmod -R o= ${folder}, and consider the secrets in it known`);
}

async function openFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  const modes = await Promise.all(paths.map((path) => stat(path)));
  return paths.filter((_, i) => ((modes[i]?.mode ?? 0) & OTHERS) !== 0);
}
