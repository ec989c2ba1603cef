// Brings HL7's validator for FHIR R4 into this user's cache: HAPI FHIR's jars from Maven Central, the IPS and the extensions as npm packages,
// each compared with its pin, and Validator.java compiled.
//
//   node tools/engines/fhir-validator/install.mjs
//
// Progress goes to stderr. The last line of stdout is {"java": executable, "classPath": for java -cp, "packages": [archives]}. Ends with 3 where a
// JDK or Maven is absent, with 1 where something else failed; both say what to do.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exclusively } from '../../bootstrap/lock.mjs';
import { BootstrapError } from '../../bootstrap/places.mjs';
import { Absent, answer, npmArchive, tryRun } from '../installer.mjs';
import { ensureJars, findJava } from '../java.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'Validator.java');
const say = (text) => process.stderr.write(`fhir-validator: ${text}\n`);

/** HL7's own packages (CC0), with the SHA-512 of their archives. */
const packages = [
  ['hl7.fhir.uv.ips', '2.0.0', '4PWToJ9b1FgXsm9DIvHiU6HO9Z5m75jxk0e0MXOmhFlf2m2slk/d6RoiSYIChKJlvmtJ7GbRftt7PphlwmZcbQ=='],
  [
    'hl7.fhir.uv.extensions.r4',
    '5.3.0-ballot-tc1',
    'mhPmWj0dZvIC7JQLkqxT42/UpoIyYwFtSiIZbhX/ArfX96hR5oTqNvAUvMD+dMH45m4mGMQ19WyCZFpP1OLEbQ==',
  ],
];

await answer(say, async () => {
  const { java } = await findJava({ name: 'HL7’s validator', least: 17 });
  const jars = await ensureJars({ name: 'HL7’s validator', folder: 'fhir-validator', version: '8.8.1', megabytes: 145, here, say });
  const home = dirname(jars);
  const made = { packages: packages.map(([name, version]) => join(home, `${name}-${version}.tgz`)), classes: classesIn(home) };
  if (![...made.packages, made.classes].every((place) => existsSync(place)))
    await exclusively('install-fhir-packages', async (own) => make(java, jars, made, own), {
      waiting: () => say('another process is installing; waiting for it …'),
    });
  return {
    java,
    classPath: [made.classes, join(jars, '*')].join(delimiter),
    packages: [...made.packages, join(here, 'r5-extensions.json')],
  };
});

/** Named after the source, so that a changed one is compiled anew. */
function classesIn(home) {
  const print = createHash('sha256').update(readFileSync(source)).digest('hex');
  return join(home, `classes-${print.slice(0, 12)}`);
}

async function make(java, jars, made, own) {
  const work = mkdtempSync(join(dirname(jars), 'make-'));
  try {
    for (const [i, one] of packages.entries()) if (!existsSync(made.packages[i])) await fetchPackage(one, made.packages[i], work, own);
    if (!existsSync(made.classes)) await compile(java, jars, made.classes, work, own);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function fetchPackage([name, version, sha512], place, work, own) {
  say(`fetching ${name} ${version} from npm …`);
  const folder = join(work, name);
  mkdirSync(folder);
  renameSync(await npmArchive({ name, version, sha512 }, folder, own), place);
}

async function compile(java, jars, classes, work, own) {
  const javac = join(dirname(java), 'javac');
  const folder = join(work, 'classes');
  const { code, output } = await tryRun(existsSync(javac) ? javac : 'javac', ['-nowarn', '-cp', join(jars, '*'), '-d', folder, source], {
    started: own,
  });
  const next = 'install a JDK ≥ 17 (Debian: openjdk-17-jdk-headless), or set JAVA_HOME to one';
  if (code === 127) throw new Absent('HL7’s validator is compiled by javac, and there is none on this machine', next);
  if (code !== 0) throw new BootstrapError(`Validator.java could not be compiled: ${output.trim().slice(0, 2_000)}`, next);
  renameSync(folder, classes);
}
