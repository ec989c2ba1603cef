import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBounded, PortolanError, type Validators } from '@portolan/contracts';
import { brokenLine, countryPack, type CountryPack } from '@portolan/formats';
import { fhirShapes } from '../fhir-shapes.js';
import { readImported } from './terminology-store.js';

const MAX_FILES = 500;
const MAX_FILE_BYTES = 20_000_000;

/** A country's folder as it was read: how its documents are translated, and every file's JSON by its path in the folder. */
export interface CountryFolder {
  readonly pack: CountryPack;
  readonly files: Readonly<Record<string, unknown>>;
  /** The same as text, so that a mistake is told with its line. */
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * Reads a country's folder and the code systems imported into the folder `terminology`; checked by schema and checksum. Throws
 * `config.unreadable`, `config.invalid`, and with file and line `translate.country-invalid` and `translate.map-invalid`.
 */
export async function readCountryPack(folder: string, terminology: string | undefined, validators: Validators): Promise<CountryFolder> {
  const { files, texts } = await readJsonTree(folder);
  const imported = terminology === undefined ? [] : await readImported(terminology, languagesOf(files['country.json']));
  return { pack: countryPack(files, validators, imported, texts, fhirShapes()), files, texts };
}

/** As `country.json` names them, which is checked after; English besides. */
function languagesOf(country: unknown): readonly string[] {
  const { languages } = (country ?? {}) as { languages?: unknown };
  return [...(Array.isArray(languages) ? languages.filter((one) => typeof one === 'string') : []), 'en'];
}

async function readJsonTree(folder: string): Promise<{ files: Record<string, unknown>; texts: Record<string, string> }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => {
    throw new PortolanError('config.unreadable', 'countries folder');
  });
  const names = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name));
  if (names.length > MAX_FILES) throw new PortolanError('config.invalid', 'countries folder', `more than ${MAX_FILES} files`);
  const texts = Object.fromEntries(
    await Promise.all(
      names.map(async (name) => {
        const path = name.slice(folder.length + 1).replaceAll('\\', '/');
        return [path, await textOf(name, path)] as const;
      }),
    ),
  );
  return { texts, files: Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, parsed(text, path)])) };
}

async function textOf(name: string, path: string): Promise<string> {
  const { size } = await stat(name);
  if (size > MAX_FILE_BYTES) throw new PortolanError('translate.country-invalid', path, `more than ${MAX_FILE_BYTES} bytes`);
  const bytes = await readFile(name);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new PortolanError('translate.country-invalid', path, 'not UTF-8');
  }
}

function parsed(text: string, path: string): unknown {
  try {
    return parseBounded(text, MAX_FILE_BYTES, 'translate.country-invalid', path);
  } catch (error) {
    const line = brokenLine(text);
    throw line === undefined ? error : new PortolanError('translate.country-invalid', `${path}:${line}`, 'not JSON');
  }
}
