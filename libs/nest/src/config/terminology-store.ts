import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PortolanError, type NodeConfig } from '@portolan/contracts';
import { CodeSystem, type Concept, type Designation, type Release } from '@portolan/formats';

// Where a node keeps code systems that it imported: a folder for each system, in it one for each import, and `in-force.json`, which names the
// import that is read. An import is written beside, synced, and put in force by one rename: a half one is never read.

/** What an import was made of. */
export interface ImportedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What `about.json` of an import says. */
export interface ImportAbout {
  readonly v: 1;
  readonly publisher: string;
  readonly system: string;
  readonly version: string;
  readonly isHierarchy: boolean;
  /** Some of the system's codes alone. */
  readonly isPart?: boolean;
  readonly notice: string;
  readonly files: readonly ImportedFile[];
  readonly concepts: number;
  /** Of `concepts.ndjson`. */
  readonly sha256: string;
}

const CONCEPTS = 'concepts.ndjson';
const ABOUT = 'about.json';
const IN_FORCE = 'in-force.json';
const PART = '.part-';
/** What an import left behind that did not end; a living one is younger. */
const STALE_MS = 86_400_000;
const MAX_SYSTEMS = 50;
const MAX_JSON_BYTES = 100_000;

/** The folder that the configuration names, or the one in the node's own. */
export const terminologyFolder = ({ home, terminology }: NodeConfig): string => terminology ?? join(home, 'terminology');

/**
 * Writes a release and puts it in force. Does nothing where the very files are in force already, told by `isNew`. The same import done twice, or
 * after a crash at whatever place, ends alike.
 */
export async function storeRelease(
  folder: string,
  publisher: string,
  release: Release,
  files: readonly ImportedFile[],
): Promise<{ readonly about: ImportAbout; readonly isNew: boolean }> {
  const home = join(folder, `${publisher}-${sha256(release.system).slice(0, 8)}`);
  await mkdir(home, { recursive: true, mode: 0o750 });
  await removeLeftovers(home);
  const part = await mkdtemp(join(home, PART));
  const written = await writeConcepts(join(part, CONCEPTS), release.concepts.values());
  const { system, version, isHierarchy, isPart, notice } = release;
  const about: ImportAbout = {
    v: 1,
    publisher,
    system,
    version,
    isHierarchy,
    ...(isPart === true && { isPart }),
    notice,
    files,
    concepts: release.concepts.size,
    sha256: written,
  };
  await writeSynced(join(part, ABOUT), JSON.stringify(about, null, 2));
  const name = `${version.replace(/[^A-Za-z0-9.-]/g, '_').slice(0, 40)}-${sha256(JSON.stringify(about)).slice(0, 12)}`;
  const isNew = (await nameInForce(home)) !== name;
  if (await isThere(join(home, name))) await rm(part, { recursive: true });
  else await rename(part, join(home, name));
  if (isNew) await putInForce(home, name);
  return { about, isNew };
}

async function putInForce(home: string, name: string): Promise<void> {
  const beside = join(home, `${PART}${name}.json`);
  await writeSynced(beside, JSON.stringify({ v: 1, folder: name }));
  await rename(beside, join(home, IN_FORCE));
}

async function removeLeftovers(home: string): Promise<void> {
  for (const name of (await readdir(home)).filter((one) => one.startsWith(PART))) {
    const { mtimeMs } = await stat(join(home, name));
    if (Date.now() - mtimeMs > STALE_MS) await rm(join(home, name), { recursive: true, force: true });
  }
}

async function writeConcepts(path: string, concepts: Iterable<Concept>): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'w', 0o640);
  try {
    let lines: string[] = [];
    const flush = async (): Promise<void> => {
      const text = lines.join('');
      hash.update(text);
      await file.write(text);
      lines = [];
    };
    for (const { code, designations, parents } of concepts) {
      lines.push(`${JSON.stringify({ c: code, l: designations.map(({ language, value }) => [language, value]), p: parents })}\n`);
      if (lines.length >= 5_000) await flush();
    }
    await flush();
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o640);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * The code systems in force in a folder, each checked against the checksum that was written with it; none where there is no such folder. Of names,
 * those in `languages` are kept, since a release may hold many. Throws `terms.store-invalid`.
 */
export async function readImported(folder: string, languages: readonly string[]): Promise<readonly CodeSystem[]> {
  const names = await readdir(folder).catch(() => []);
  if (names.length > MAX_SYSTEMS) throw new PortolanError('terms.store-invalid', 'terminology folder', `more than ${MAX_SYSTEMS} systems`);
  const wanted = new Set(languages.map(primaryOf));
  const read: CodeSystem[] = [];
  for (const name of names.sort()) {
    const current = await nameInForce(join(folder, name));
    if (current !== undefined) read.push(await readOne(join(folder, name, current), name, wanted));
  }
  return read;
}

const primaryOf = (language: string): string => language.toLowerCase().split('-')[0] ?? '';

async function nameInForce(home: string): Promise<string | undefined> {
  if (!(await isThere(join(home, IN_FORCE)))) return undefined;
  const { folder } = await readJson<{ folder?: unknown }>(join(home, IN_FORCE), IN_FORCE);
  if (typeof folder !== 'string' || !/^[A-Za-z0-9_.-]{1,80}$/.test(folder) || folder.startsWith('.')) throw broken(IN_FORCE);
  return folder;
}

async function readOne(folder: string, name: string, wanted: ReadonlySet<string>): Promise<CodeSystem> {
  const about = await readJson<ImportAbout>(join(folder, ABOUT), `${name}/${ABOUT}`);
  const concepts = new Map<string, Concept>();
  const hash = createHash('sha256');
  const source = createReadStream(join(folder, CONCEPTS));
  source.on('data', (piece) => void hash.update(piece));
  try {
    for await (const line of createInterface({ input: source, crlfDelay: Infinity })) {
      const concept = conceptOf(line, wanted);
      concepts.set(concept.code, concept);
    }
  } catch {
    throw broken(`${name}/${CONCEPTS}`);
  }
  if (hash.digest('hex') !== about.sha256) throw broken(`${name}/${CONCEPTS}`);
  const { system, version, isHierarchy, isPart = false } = about;
  return CodeSystem.released({ system, version, isHierarchy, concepts, isPart });
}

const NO_PROPERTIES: Concept['properties'] = new Map();
const NO_PARENTS: readonly string[] = [];

function conceptOf(line: string, wanted: ReadonlySet<string>): Concept {
  const { c, l, p } = JSON.parse(line) as { c: string; l: readonly (readonly [string, string])[]; p: readonly string[] };
  const designations = l.flatMap(([language, value]): Designation[] => (wanted.has(primaryOf(language)) ? [{ language, value }] : []));
  return { code: c, display: undefined, designations, parents: p.length === 0 ? NO_PARENTS : p, properties: NO_PROPERTIES };
}

async function readJson<T>(path: string, name: string): Promise<T> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > MAX_JSON_BYTES) throw broken(name);
    return JSON.parse(text) as T;
  } catch {
    throw broken(name);
  }
}

const broken = (place: string): PortolanError => new PortolanError('terms.store-invalid', place);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
