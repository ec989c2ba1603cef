// What engines that run on Java share: finding Java, and a folder of jars from Maven Central in this user's cache, each compared with its pin.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { exclusively } from '../bootstrap/lock.mjs';
import { BootstrapError, cacheFolder } from '../bootstrap/places.mjs';
import { Absent, tryRun } from './installer.mjs';

/**
 * The executable of Java's own home, so that it stays the same whatever PATH an engine is started with, and its exact version.
 *
 * @param {{ name: string, least: number }} engine
 */
export async function findJava({ name, least }) {
  const named = process.env.JAVA_HOME && join(process.env.JAVA_HOME, 'bin/java');
  const command = named && existsSync(named) ? named : 'java';
  const next = `install a Java runtime ≥ ${least} (Debian: openjdk-17-jre-headless), or set JAVA_HOME to one`;
  const { code, output } = await tryRun(command, ['-XshowSettings:properties', '-version']);
  if (code !== 0) throw new Absent(`${name} runs on Java, and there is none on this machine`, next);
  const property = (key) => new RegExp(`^\\s*${key} = (.*)$`, 'm').exec(output)?.[1]?.trim();
  const major = Number(property('java\\.specification\\.version'));
  if (!(major >= least)) throw new Absent(`${name} needs Java ≥ ${least}; ${command} is ${major}`, next);
  const own = join(property('java\\.home') ?? '', 'bin/java');
  return { java: existsSync(own) ? own : command, javaVersion: property('java\\.runtime\\.version') ?? major };
}

/**
 * The jars of `here/pom.xml`, compared with `here/jars.sha256`. Their folder is named after the pins, so that another version of the project has
 * its own, and it appears whole or not at all.
 *
 * @param {{ name: string, folder: string, version: string, megabytes: number, here: string, say: (text: string) => void }} engine
 */
export async function ensureJars(engine) {
  const { name, folder, version, here, say } = engine;
  const pins = createHash('sha256')
    .update(readFileSync(join(here, 'jars.sha256')))
    .digest('hex');
  const home = join(cacheFolder(), folder, `${version}-${pins.slice(0, 12)}`);
  const jars = join(home, 'jars');
  if (!existsSync(jars)) {
    await exclusively(`install-${folder}`, async (own) => existsSync(jars) || fetchJars(engine, home, own), {
      waiting: () => say(`another process is installing ${name}; waiting for it …`),
    });
  }
  const fault = faultOf(jars, here);
  if (fault !== undefined)
    throw new BootstrapError(`${name} in ${home} was changed: ${fault}`, 'remove that folder and run the command again');
  return jars;
}

/** @returns {Map<string, string>} sha256 of each jar by its name */
function pinnedJars(here) {
  const lines = readFileSync(join(here, 'jars.sha256'), 'utf8').trim().split('\n');
  return new Map(lines.map((line) => line.split(/\s+/)).map(([sha256, name]) => [name, sha256]));
}

/** @returns {string | undefined} what is wrong with the jars in `folder`: it must hold exactly those that are pinned */
function faultOf(folder, here) {
  const pins = pinnedJars(here);
  for (const name of readdirSync(folder)) {
    if (!pins.has(name)) return `${name} is not pinned`;
    const sha256 = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
    if (sha256 !== pins.get(name)) return `the checksum of ${name} is ${sha256}, not the pinned one`;
    pins.delete(name);
  }
  return pins.size === 0 ? undefined : `${[...pins.keys()].join(', ')} did not come`;
}

async function fetchJars(engine, home, own) {
  const { name, version, megabytes, here, say } = engine;
  say(`fetching ${name} ${version} from Maven Central, once for this user (${megabytes} MB) …`);
  mkdirSync(home, { recursive: true });
  // What a killed installation left behind; the lock is held, so none of it is in use.
  for (const left of readdirSync(home)) if (left.startsWith('fetch-')) rmSync(join(home, left), { recursive: true });
  const work = mkdtempSync(join(home, 'fetch-'));
  try {
    copyFileSync(join(here, 'pom.xml'), join(work, 'pom.xml'));
    await copyDependencies(engine, work, own);
    const fault = faultOf(join(work, 'jars'), here);
    if (fault !== undefined) throw new BootstrapError(`${name} ${version}: ${fault}`, 'do not use this download; report it (SECURITY.md)');
    renameSync(join(work, 'jars'), join(home, 'jars'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say('installed');
}

async function copyDependencies({ name, version }, work, own) {
  const maven = process.platform === 'win32' ? 'mvn.cmd' : 'mvn';
  const options = { cwd: work, shell: process.platform === 'win32', started: own };
  if ((await tryRun(maven, ['--version'], options)).code !== 0)
    throw new Absent(
      `${name} is fetched by Maven, and there is none on this machine`,
      'install Maven (Debian: maven) and run the command again',
    );
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(work, 'jars')}`];
  const { code, output } = await tryRun(maven, ['--batch-mode', '--quiet', '--file', join(work, 'pom.xml'), ...goal], options);
  if (code !== 0)
    throw new BootstrapError(
      `Maven could not fetch ${name} ${version}: ${output.trim().slice(0, 2_000)}`,
      "check the network and Maven's settings, and run the command again",
    );
}
