import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PortolanError, type ErrorCode, type FormatName } from '@portolan/contracts';
import { bundleOf, isBatch, readBatch, toFhirJson, translate, type Account, type CountryPack, type FhirJudge } from '@portolan/formats';
import { fhirJudge } from '@portolan/nest/fhir-judge';
import { failureText } from '../failure.js';
import { readBytes, systemCode } from '../files/read-file.js';
import { exits, type Exit, type Terminal } from '../terminal.js';
import { packOf } from './country-files.js';
import { outputNames } from './output-names.js';
import { writtenBack } from './write-back.js';

export interface TranslateFlags {
  readonly country?: string;
  readonly countries?: string;
  readonly format: FormatName | 'auto';
  readonly out?: string;
  readonly to?: 'hl7v2';
}

/** Largest document: one with its attachments. */
const MAX_BYTES = 20_000_000;
/** Largest batch file, which is in memory as a whole, and how many messages it may hold. */
const MAX_BATCH_BYTES = 200_000_000;
const MAX_MESSAGES = 100_000;

/** How documents are read: by the rules of a country, and FHIR by HL7's definitions. */
interface Reader {
  readonly country: CountryPack;
  readonly judge: FhirJudge;
}

/** What is written of one file: FHIR where its bytes could be read, and in any case the account. */
interface Result {
  readonly fhir?: string;
  readonly report: Account;
  readonly told: string;
}

/** `portolan translate`: one file after the other; one that cannot be read stops none of the others. */
export async function translateFiles(files: readonly string[], flags: TranslateFlags, terminal: Terminal): Promise<Exit> {
  const reader: Reader = { country: await packOf(flags, terminal), judge: fhirJudge() };
  const paths = [...new Set(files.map((file) => resolve(terminal.folder, file)))];
  const names = outputNames(paths);
  const out = await folderFor(resolve(terminal.folder, flags.out ?? '.'), flags.out ?? '.');
  let unread = 0;
  for (const [i, path] of paths.entries()) {
    try {
      unread += await translateFile(path, join(out, names[i] ?? ''), flags, reader, terminal);
    } catch (error) {
      if (!(error instanceof PortolanError)) throw error;
      terminal.note(failureText(error));
      if (error.code === 'cli.output-unwritable') return exits.failed;
      unread += 1;
    }
  }
  return unread === 0 ? exits.ok : exits.failed;
}

/** Writes the results of each document of a file; how many of them could not be read. */
async function translateFile(
  path: string,
  base: string,
  { format, to }: TranslateFlags,
  reader: Reader,
  terminal: Terminal,
): Promise<number> {
  if (to !== undefined) {
    const { text, account, told } = writtenBack(await readBytes(path, path, MAX_BYTES), reader.country);
    await write(base, { hl7: text, 'report.json': `${JSON.stringify(account, null, 2)}\n` }, terminal);
    terminal.note(`${path}: ${told}`);
    return 0;
  }
  let unread = 0;
  for (const part of documentsOf(await readBytes(path, path, MAX_BATCH_BYTES), format)) {
    const result = 'code' in part ? notRead(new PortolanError(part.code, part.place)) : translated(part.bytes, format, reader);
    await write(`${base}${part.suffix}`, filesOf(result), terminal);
    terminal.note(`${path}${part.suffix}: ${result.told}`);
    if (result.fhir === undefined) unread += 1;
  }
  return unread;
}

/** One document of a file: its bytes, or why it has none; and what its results are called after the file. */
type Part = { readonly place: string; readonly suffix: string } & ({ readonly bytes: Uint8Array } | { readonly code: ErrorCode });

/** The documents of a file: itself, or the messages of an HL7 v2 batch, which stand or fall each by itself. */
function documentsOf(bytes: Uint8Array, format: TranslateFlags['format']): Part[] {
  if (!['auto', 'hl7v2'].includes(format) || !isBatch(bytes)) return [{ place: 'document', suffix: '', bytes }];
  return readBatch(bytes, { maxMessages: MAX_MESSAGES, maxBytes: MAX_BYTES }).map((item, i) => ({ ...item, suffix: `.${i + 1}` }));
}

function translated(bytes: Uint8Array, format: TranslateFlags['format'], { country, judge }: Reader): Result {
  const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
  try {
    const received = new Date().toISOString();
    const input = { bytes, format, country, sha256, received, maxBytes: MAX_BYTES, judge };
    const { resources, beside, account, format: found } = translate(input);
    // Relative references resolve against the address that each entry's fullUrl begins with; this one is nobody's (RFC 6761).
    const bundle = bundleOf([...resources, ...beside], `https://${country.country.toLowerCase()}.portolan.example/fhir`);
    const { mapped, carried, ignored, constants, warnings, rejects } = account;
    const counts = { mapped, carried, ignored, warnings, rejects };
    const told = Object.entries(counts).map(([name, list]) => `${list.length} ${name}`);
    return {
      fhir: `${toFhirJson(bundle)}\n`,
      report: { mapped, carried, ignored, constants, warnings, rejects },
      told: `${found}, ${resources.length} resources; values: ${told.join(', ')}`,
    };
  } catch (error) {
    if (!(error instanceof PortolanError) || !error.code.startsWith('ingest.')) throw error;
    return notRead(error);
  }
}

function notRead(error: PortolanError): Result {
  const reject = { code: error.code, path: error.where, rule: '(document)', severity: 'document' } as const;
  return {
    report: { mapped: [], carried: [], ignored: [], constants: [], warnings: [], rejects: [reject] },
    told: `not read. ${error.message}`,
  };
}

async function folderFor(folder: string, name: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return folder;
  } catch (error) {
    throw new PortolanError('cli.output-unwritable', name, systemCode(error));
  }
}

const filesOf = ({ fhir, report }: Result): Record<string, string | undefined> => ({
  'fhir.json': fhir,
  'report.json': `${JSON.stringify(report, null, 2)}\n`,
});

/** Both results of a file, or none: what an earlier run left for the same name goes. They hold health data, so nobody else reads them. */
async function write(base: string, results: Readonly<Record<string, string | undefined>>, terminal: Terminal): Promise<void> {
  try {
    for (const [ending, text] of Object.entries(results)) {
      const file = `${base}.${ending}`;
      await rm(file, { force: true });
      if (text === undefined) continue;
      await writeFile(`${file}.new`, text, { mode: 0o600 });
      await rename(`${file}.new`, file);
      terminal.out(file);
    }
  } catch (error) {
    throw new PortolanError('cli.output-unwritable', base, systemCode(error));
  }
}
