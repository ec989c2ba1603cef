import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { installed } from '../stack/installed.js';

/** Another converter: how many documents a second, one after the other on one core, and what it makes of one. */
export interface Peer {
  /** Converts `file` over and over for about `ms`. */
  rate(file: string, ms: number): Promise<number>;
  /** What it makes, as FHIR JSON; undefined where it cannot convert it. */
  bundle(file: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/** LinuxForHealth's converter of HL7 v2, in a Java process of its own that sees one processor. */
export async function v2Peer(say: (line: string) => void): Promise<Peer | { readonly absent: string }> {
  const engine = await installed<{ java: string; classPath: string; logging: string }>('v2-converter', say);
  if ('absent' in engine) return engine;
  const options = ['-XX:ActiveProcessorCount=1', '-Xmx1g', `-Dlogback.configurationFile=${engine.logging}`];
  const child = spawn(engine.java, [...options, '-cp', engine.classPath, 'Converter'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      resolve();
    }),
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (question: string): Promise<string> => {
    child.stdin.write(`${question}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error('LinuxForHealth’s converter ended before it answered');
    return value;
  };
  return {
    rate: async (file, ms) => {
      const [count = 0, seconds = 1] = (await ask(`${file} ${ms}`)).split(' ').map(Number);
      return count / seconds;
    },
    bundle: async (file) => ask(`${file} bundle`),
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

interface Medplum {
  readonly convertXmlToCcda: (xml: string) => unknown;
  readonly convertCcdaToFhir: (ccda: unknown) => unknown;
}

/** Medplum's converter of C-CDA, in this process. `read` brings a file's text. */
export async function ccdaPeer(read: (file: string) => string, say: (line: string) => void): Promise<Peer | { readonly absent: string }> {
  const engine = await installed<{ module: string }>('ccda-converter', say);
  if ('absent' in engine) return engine;
  const { convertCcdaToFhir, convertXmlToCcda } = (await import(pathToFileURL(engine.module).href)) as Medplum;
  const convert = (xml: string): string => JSON.stringify(convertCcdaToFhir(convertXmlToCcda(xml)));
  return {
    rate: async (file, ms) => {
      const xml = read(file);
      return perSecond(() => convert(xml), ms);
    },
    bundle: async (file) => {
      try {
        return convert(read(file));
      } catch {
        return undefined;
      }
    },
    close: async () => undefined,
  };
}

/** How many a second, one after the other, for about `ms`. */
export function perSecond(work: () => unknown, ms: number): number {
  const start = performance.now();
  let done = 0;
  do {
    work();
    done += 1;
  } while (performance.now() - start < ms);
  return (done * 1000) / (performance.now() - start);
}
