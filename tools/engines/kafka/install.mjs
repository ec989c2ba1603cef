// Brings what a Kafka broker needs into this user's cache: jars from Maven Central, each compared with jars.sha256.
//
//   node tools/engines/kafka/install.mjs
//
// Progress goes to stderr. The last line of stdout is {"jars": folder, "java": executable, "archive": file, "version": Kafka's}; the
// archive is where a broker leaves the classes that it loaded, for the next one to start in half the time. Ends with 3 where Java or
// Maven is absent, with 1 where something else failed; both say what to do.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer } from '../installer.mjs';
import { ensureJars, findJava } from '../java.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const version = '4.3.1';
const say = (text) => process.stderr.write(`kafka: ${text}\n`);

await answer(say, async () => {
  // A broker of Kafka 4 wants Java 17.
  const { java, javaVersion } = await findJava({ name: 'Kafka', least: 17 });
  const jars = await ensureJars({ name: 'Kafka', folder: 'kafka', version, megabytes: 44, here, say });
  return { jars, java, archive: join(dirname(jars), `classes-${javaVersion}.jsa`), version };
});
