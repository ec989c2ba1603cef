import { hash } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { PortolanError, type ErrorCode, type FormatName } from '@portolan/contracts';
import {
  bundleOf,
  toFhirJson,
  translate,
  type Account,
  type BackAccount,
  type CountryPack,
  type FhirJudge,
  type Translation,
} from '@portolan/formats';
import { fhirJudge } from '@portolan/nest/fhir-judge';
import { systemCode } from '../files/read-file.js';
import { packOf, type CountryFlags } from './country-files.js';

/** Largest document: one with its attachments. */
export const MAX_BYTES = 20_000_000;

/** How documents are read: by the rules of a country, and FHIR by HL7's definitions. */
export interface Reader {
  readonly country: CountryPack;
  readonly judge: FhirJudge;
}

/** `from`: where relative names start. Throws as `packOf` does. */
export async function readerOf(flags: CountryFlags, from: string): Promise<Reader> {
  return { country: await packOf(flags, from), judge: fhirJudge() };
}

/** One document of a file: its bytes, or why it has none; and what its results are called after the file. */
export type Part = { readonly place: string; readonly suffix: string } & ({ readonly bytes: Uint8Array } | { readonly code: ErrorCode });

/** A document that is to be translated: of which file, and the beginning of its results' names. */
export interface Work {
  readonly part: Part;
  readonly path: string;
  readonly base: string;
}

/** What is told of a document that was: the files written, a line for a person, and whether a node would refuse it as a whole. */
export interface Finished {
  readonly written: readonly string[];
  readonly note: string;
  readonly refused: boolean;
  /** What became of every value, as the report has it. */
  readonly account?: Result['report'] | BackAccount;
}

/** What is written of one document: FHIR where its bytes could be read, and in any case the account. */
interface Result {
  readonly fhir?: string;
  readonly refused: boolean;
  readonly report: Account & { readonly questions: Translation['questions'] };
  readonly told: string;
}

/** Translates one document and writes its results. Throws `cli.output-unwritable`. */
export async function finish({ part, path, base }: Work, format: FormatName | 'auto', reader: Reader): Promise<Finished> {
  const result = 'code' in part ? notRead(new PortolanError(part.code, part.place)) : translated(part.bytes, format, reader);
  const written = await write(`${base}${part.suffix}`, filesOf(result));
  return { written, note: `${path}${part.suffix}: ${result.told}`, refused: result.refused, account: result.report };
}

function translated(bytes: Uint8Array, format: FormatName | 'auto', { country, judge }: Reader): Result {
  const sha256 = (data: Uint8Array): string => hash('sha256', data, 'hex');
  try {
    const received = new Date().toISOString();
    const input = { bytes, format, country, sha256, received, maxBytes: MAX_BYTES, judge };
    const { resources, beside, account, questions, format: found } = translate(input);
    // Relative references resolve against the address that each entry's fullUrl begins with; this one is nobody's (RFC 6761).
    const bundle = bundleOf([...resources, ...beside], `https://${country.country.toLowerCase()}.portolan.example/fhir`);
    const { mapped, carried, ignored, constants, warnings, rejects } = account;
    const counts = { mapped, carried, ignored, warnings, rejects };
    const told = Object.entries(counts).map(([name, list]) => `${list.length} ${name}`);
    const asked = questions.length === 0 ? '' : `, ${questions.length} codes to ask a person about`;
    const whole = rejects.filter(({ severity }) => severity === 'document');
    return {
      fhir: `${toFhirJson(bundle)}\n`,
      refused: whole.length > 0,
      report: { mapped, carried, ignored, constants, warnings, rejects, questions },
      told: `${found}, ${resources.length} resources; values: ${told.join(', ')}${asked}${refusal(whole)}`,
    };
  } catch (error) {
    if (!(error instanceof PortolanError) || !error.code.startsWith('ingest.')) throw error;
    return notRead(error);
  }
}

/** What a node would answer, in the words of the registry; the others stand in the report. */
function refusal([first, ...others]: Account['rejects']): string {
  if (first === undefined) return '';
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `; refused${more}. ${new PortolanError(first.code, first.path).message}`;
}

function notRead(error: PortolanError): Result {
  const reject = { code: error.code, path: error.where, rule: '(document)', severity: 'document' } as const;
  return {
    refused: true,
    report: { mapped: [], carried: [], ignored: [], constants: [], warnings: [], rejects: [reject], questions: [] },
    told: `not read. ${error.message}`,
  };
}

const filesOf = ({ fhir, report }: Result): Record<string, string | undefined> => ({
  'fhir.json': fhir,
  'report.json': `${JSON.stringify(report, null, 2)}\n`,
});

/** Under its name a file is whole or not there; of one that cannot be written nothing is left. */
async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(`${file}.new`, content, { mode: 0o600 });
    await rename(`${file}.new`, file);
  } catch (error) {
    await rm(`${file}.new`, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Both results of a file, or none: what an earlier run left for the same name goes. They hold health data, so nobody else reads them. */
export async function write(base: string, results: Readonly<Record<string, string | Uint8Array | undefined>>): Promise<string[]> {
  const written: string[] = [];
  try {
    for (const [ending, content] of Object.entries(results)) {
      const file = `${base}.${ending}`;
      if (content === undefined) {
        await rm(file, { force: true });
        continue;
      }
      await writeWhole(file, content);
      written.push(file);
    }
    return written;
  } catch (error) {
    throw new PortolanError('cli.output-unwritable', base, systemCode(error));
  }
}
