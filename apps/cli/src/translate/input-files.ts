import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { systemCode } from '../files/read-file.js';

/** Most files that a folder may hold. */
const MAX_FILES = 1_000_000;

/**
 * The files that a path names: itself, or of a folder all at and below it in the order of their names, without hidden ones and the results of an
 * earlier run. A path that is not there stays, so that it is told in its turn. Throws `cli.file-unreadable`.
 */
export async function inputFiles(path: string): Promise<string[]> {
  const about = await stat(path).catch(() => undefined);
  return about?.isDirectory() === true ? filesBelow(path) : [path];
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw new PortolanError('cli.file-unreadable', folder, systemCode(error));
  });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  if (files.length > MAX_FILES) throw new PortolanError('cli.file-unreadable', folder, `more than ${MAX_FILES} files`);
  const names = new Set(files.map((file) => basename(file)));
  return files.filter((file) => !isHidden(file.slice(folder.length)) && !isResult(basename(file), names)).toSorted();
}

const isHidden = (below: string): boolean => /[/\\]\./.test(below);

/** Whether it is called as the result of one of the others: `x.hl7.fhir.json`, and `x.hl7.2.fhir.json` of a batch file. */
function isResult(name: string, names: ReadonlySet<string>): boolean {
  const [, source = '', number = ''] = /^(.+?)(\.\d+)?\.(?:fhir\.json|report\.json|hl7|xml)(?:\.new)?$/.exec(name) ?? [];
  return names.has(source) || names.has(`${source}${number}`);
}
