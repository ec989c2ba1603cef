// Brings what a Kafka broker needs into this user's cache: jars from Maven Central, each compared with jars.sha256.
//
//   node tools/engines/kafka/install.mjs
//
// Progress goes to stderr. The last line of stdout is {"jars": folder, "java": executable, "archive": file, "version": Kafka's}; the
// archive is where a broker leaves the classes that it loaded, for the next one to start in half the time. Ends with 3 where Java or
// Maven is absent, with 1 where something else failed; both say what to do.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from '../../bootstrap/child.mjs';
import { exclusively } from '../../bootstrap/lock.mjs';
import { BootstrapError, cacheFolder } from '../../bootstrap/places.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const VERSION = '4.3.1';
/** A broker of Kafka 4 wants Java 17. */
const JAVA_MIN = 17;
const ABSENT = 3;

/** A tool of the machine that we cannot bring ourselves. */
class Absent extends BootstrapError {}

const say = (text) => process.stderr.write(`kafka: ${text}\n`);

/** The executable of Java's own home, so that it stays the same whatever PATH a broker is started with, and its exact version. */
async function findJava() {
  const named = process.env.JAVA_HOME && join(process.env.JAVA_HOME, 'bin/java');
  const command = named && existsSync(named) ? named : 'java';
  const next = `install a Java runtime ≥ ${JAVA_MIN} (Debian: openjdk-17-jre-headless), or set JAVA_HOME to one`;
  const { code, output } = await tryRun(command, ['-XshowSettings:properties', '-version']);
  if (code !== 0) throw new Absent('Kafka runs on Java, and there is none on this machine', next);
  const property = (name) => new RegExp(`^\\s*${name} = (.*)$`, 'm').exec(output)?.[1]?.trim();
  const major = Number(property('java\\.specification\\.version'));
  if (!(major >= JAVA_MIN)) throw new Absent(`Kafka ${VERSION} needs Java ≥ ${JAVA_MIN}; ${command} is ${major}`, next);
  const own = join(property('java\\.home') ?? '', 'bin/java');
  return { java: existsSync(own) ? own : command, javaVersion: property('java\\.runtime\\.version') ?? major };
}

/** As `runChild`, and a command that cannot be started ends with 127. */
function tryRun(command, args, options = {}) {
  return runChild(command, args, { keep: true, ...options }).catch(() => ({ code: 127, signal: null, output: '' }));
}

/** @returns {Map<string, string>} sha256 of each jar by its name */
function pinnedJars() {
  const lines = readFileSync(join(here, 'jars.sha256'), 'utf8').trim().split('\n');
  return new Map(lines.map((line) => line.split(/\s+/)).map(([sha256, name]) => [name, sha256]));
}

/** @returns {string | undefined} what is wrong with the jars in `folder`: it must hold exactly those that are pinned */
function faultOf(folder) {
  const pins = pinnedJars();
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

/** The folder is named after its pins, so that another version of the project has its own, and it appears whole or not at all. */
async function ensureJars() {
  const pins = createHash('sha256')
    .update(readFileSync(join(here, 'jars.sha256')))
    .digest('hex');
  const home = join(cacheFolder(), 'kafka', `${VERSION}-${pins.slice(0, 12)}`);
  const jars = join(home, 'jars');
  if (!existsSync(jars)) {
    await exclusively('install-kafka', async (own) => existsSync(jars) || fetchJars(home, jars, own), {
      waiting: () => say('another process is installing Kafka; waiting for it …'),
    });
  }
  const fault = faultOf(jars);
  if (fault !== undefined)
    throw new BootstrapError(`Kafka in ${home} was changed: ${fault}`, 'remove that folder and run the command again');
  return jars;
}

async function fetchJars(home, jars, own) {
  say(`fetching Kafka ${VERSION} from Maven Central, once for this user (44 MB) …`);
  mkdirSync(home, { recursive: true });
  // What a killed installation left behind; the lock is held, so none of it is in use.
  for (const name of readdirSync(home)) if (name.startsWith('fetch-')) rmSync(join(home, name), { recursive: true });
  const work = mkdtempSync(join(home, 'fetch-'));
  try {
    copyFileSync(join(here, 'pom.xml'), join(work, 'pom.xml'));
    await copyDependencies(work, own);
    const fault = faultOf(join(work, 'jars'));
    if (fault !== undefined) throw new BootstrapError(`Kafka ${VERSION}: ${fault}`, 'do not use this download; report it (SECURITY.md)');
    renameSync(join(work, 'jars'), jars);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say('installed');
}

async function copyDependencies(work, own) {
  const maven = process.platform === 'win32' ? 'mvn.cmd' : 'mvn';
  const options = { cwd: work, shell: process.platform === 'win32', started: own };
  if ((await tryRun(maven, ['--version'], options)).code !== 0)
    throw new Absent(
      'Kafka is fetched by Maven, and there is none on this machine',
      'install Maven (Debian: maven) and run the command again',
    );
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(work, 'jars')}`];
  const { code, output } = await tryRun(maven, ['--batch-mode', '--quiet', '--file', join(work, 'pom.xml'), ...goal], options);
  if (code !== 0)
    throw new BootstrapError(
      `Maven could not fetch Kafka ${VERSION}: ${output.trim().slice(0, 2_000)}`,
      "check the network and Maven's settings, and run the command again",
    );
}

try {
  const { java, javaVersion } = await findJava();
  const jars = await ensureJars();
  const archive = join(dirname(jars), `classes-${javaVersion}.jsa`);
  process.stdout.write(`${JSON.stringify({ jars, java, archive, version: VERSION })}\n`);
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  say(error.message);
  process.exitCode = error instanceof Absent ? ABSENT : 1;
}
