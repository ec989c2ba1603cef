import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { installed } from '../stack/installed.js';

/** What the validator runs with, as `tools/engines/fhir-validator/install.mjs` prints it. */
interface ValidatorEngine {
  readonly java: string;
  readonly classPath: string;
  readonly packages: readonly string[];
}

/** What HL7's validator has to say of one place of a document. */
export interface Hl7Issue {
  readonly severity: 'fatal' | 'error' | 'warning' | 'information';
  /** FHIRPath of the place. */
  readonly where: string;
  readonly message: string;
}

/** Profile of an International Patient Summary, IPS 2.0.0. */
export const IPS_BUNDLE = 'http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips';

const HEAP = '-Xmx1500m';
const MOST_MS = 180_000;

/**
 * Where the validator is wrong, and why: `2.999` is the arc that ITU-T X.660 keeps for examples, and an object identifier; this validator wants
 * three arcs at least.
 */
const MISTAKEN = [/^OIDs must be valid \(2\.999\)$/];

/**
 * HL7's validator for FHIR R4 (HAPI FHIR, offline) as one long-lived process: the first document takes it some ten seconds, each after that a
 * fraction of one. It ends with `close`, or with this process, whose pipe is its input.
 */
export class Hl7Validator {
  private readonly answers: AsyncIterator<string>;
  private next: Promise<unknown> = Promise.resolve();
  private count = 0;

  private constructor(
    private readonly child: ChildProcessByStdio<Writable, Readable, null>,
    private readonly folder: string,
  ) {
    this.answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Answers with what is absent where the machine lacks Java or Maven. */
  static async start(say?: (text: string) => void): Promise<Hl7Validator | { readonly absent: string }> {
    const engine = await installed<ValidatorEngine>('fhir-validator', say);
    if ('absent' in engine) return engine;
    const folder = await mkdtemp(join(tmpdir(), 'portolan-fhir-'));
    const child = spawn(engine.java, [HEAP, '-cp', engine.classPath, 'Validator', ...engine.packages], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const validator = new Hl7Validator(child, folder);
    await validator.line();
    return validator;
  }

  /** Issues of `severity` error and worse in `json`, the text of a resource, judged by base R4 and by `profile` where one is given. */
  async errors(json: string, profile?: string): Promise<readonly Hl7Issue[]> {
    const issues = await this.issues(json, profile);
    return issues.filter(({ severity, message }) => ['error', 'fatal'].includes(severity) && !MISTAKEN.some((one) => one.test(message)));
  }

  /** One after the other: the process answers in the order in which it was asked. */
  async issues(json: string, profile?: string): Promise<readonly Hl7Issue[]> {
    const asked = this.next.then(() => this.ask(json, profile));
    this.next = asked.catch(() => undefined);
    return asked;
  }

  async close(): Promise<void> {
    this.child.stdin.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async ask(json: string, profile: string | undefined): Promise<readonly Hl7Issue[]> {
    const file = join(this.folder, `${(this.count += 1)}.json`);
    await writeFile(file, json);
    this.child.stdin.write(`${JSON.stringify({ file, profile })}\n`);
    const { issues } = JSON.parse(await this.line()) as { issues: readonly Hl7Issue[] };
    await rm(file);
    return issues;
  }

  private async line(): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`HL7’s validator did not answer within ${MOST_MS} ms`)), MOST_MS);
    });
    try {
      const answer: IteratorResult<string, unknown> = await Promise.race([this.answers.next(), late]);
      if (answer.done === true) throw new Error(`HL7’s validator ended with ${this.child.exitCode ?? 'a signal'}`);
      return answer.value;
    } finally {
      clearTimeout(timer);
    }
  }
}
