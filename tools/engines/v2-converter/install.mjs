// Brings LinuxForHealth's converter of HL7 v2 to FHIR R4 into this user's cache, for benchmarks to be measured against: its jars from Maven
// Central, each compared with its pin, and Converter.java compiled.
//
//   node tools/engines/v2-converter/install.mjs
//
// Progress goes to stderr. The last line of stdout is {"java": executable, "classPath": for java -cp, "logging": file}. Ends with 3 where a JDK or
// Maven is absent, with 1 where something else failed; both say what to do.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BootstrapError } from '../../bootstrap/places.mjs';
import { Absent, answer, tryRun } from '../installer.mjs';
import { ensureJars, findJava } from '../java.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'Converter.java');
const name = 'LinuxForHealth’s converter';
const say = (text) => process.stderr.write(`v2-converter: ${text}\n`);

await answer(say, async () => {
  const { java } = await findJava({ name, least: 11 });
  const jars = await ensureJars({ name, folder: 'v2-converter', version: '1.0.19', megabytes: 115, here, say });
  const print = createHash('sha256').update(readFileSync(source)).digest('hex');
  const classes = join(dirname(jars), `classes-${print.slice(0, 12)}`);
  if (!existsSync(classes)) await compile(java, jars, classes);
  return { java, classPath: [classes, join(jars, '*')].join(delimiter), logging: join(here, 'logback.xml') };
});

async function compile(java, jars, classes) {
  const javac = join(dirname(java), 'javac');
  const work = mkdtempSync(join(dirname(jars), 'make-'));
  try {
    const options = ['-nowarn', '-cp', join(jars, '*'), '-d', join(work, 'classes'), source];
    const { code, output } = await tryRun(existsSync(javac) ? javac : 'javac', options);
    const next = 'install a JDK ≥ 11 (Debian: openjdk-17-jdk-headless), or set JAVA_HOME to one';
    if (code === 127) throw new Absent(`${name} is called by a program that javac compiles, and there is none on this machine`, next);
    if (code !== 0) throw new BootstrapError(`Converter.java could not be compiled: ${output.trim().slice(0, 2_000)}`, next);
    // Whoever came first made the same.
    if (!existsSync(classes)) renameSync(join(work, 'classes'), classes);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
