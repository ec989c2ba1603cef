import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer } from '../client/country-client.js';
import { Hl7Validator, IPS_BUNDLE, type Hl7Issue } from './hl7-validator.js';

const folderIn = (world: string): string => join(world, 'bundles');

/** Keeps a FHIR Bundle that a node answered with, once, for the validator. */
export async function keepBundle(world: string, { status, headers, text }: Answer): Promise<void> {
  if (status !== 200 || !(headers.get('content-type') ?? '').startsWith('application/fhir+json')) return;
  if (!text.startsWith('{"resourceType":"Bundle"')) return;
  await mkdir(folderIn(world), { recursive: true });
  await writeFile(join(folderIn(world), `${createHash('sha256').update(text).digest('hex')}.json`), text);
}

export interface JudgedBundles {
  readonly judged: number;
  /** What is wrong, by the file's name. */
  readonly wrong: Readonly<Record<string, readonly Hl7Issue[]>>;
}

/**
 * HL7's validator over every Bundle that was kept: base R4 for all, IPS 2.0.0 for patient summaries. Answers with what is absent where the
 * machine lacks the validator.
 */
export async function judgeBundles(world: string): Promise<JudgedBundles | { readonly absent: string }> {
  const files = await readdir(folderIn(world)).catch(() => []);
  const validator = await Hl7Validator.start();
  if ('absent' in validator) return validator;
  const wrong: Record<string, readonly Hl7Issue[]> = {};
  try {
    for (const file of files) {
      const text = await readFile(join(folderIn(world), file), 'utf8');
      const errors = await validator.errors(text, isSummary(text) ? IPS_BUNDLE : undefined);
      if (errors.length > 0) wrong[file] = errors;
    }
  } finally {
    await validator.close();
  }
  return { judged: files.length, wrong };
}

/** LOINC 60591-5 as the type of the document itself. */
function isSummary(text: string): boolean {
  const { type, entry } = JSON.parse(text) as { type: string; entry?: { resource?: { type?: { coding?: { code?: string }[] } } }[] };
  return type === 'document' && entry?.[0]?.resource?.type?.coding?.[0]?.code === '60591-5';
}
