import type { CsvExtract, FormatName } from '@portolan/contracts';
import type { Format } from './engine/index.js';
import { cda } from './cda/index.js';
import { csv } from './csv/index.js';
import { fhir } from './fhir/index.js';
import { hl7v2 } from './hl7v2/index.js';
import { kmehr } from './kmehr/index.js';
import { ldt } from './ldt/index.js';

/** Every format that this library reads, in the order in which unknown bytes are tried. */
export const formats: readonly Format[] = [hl7v2, cda, kmehr, fhir, ldt, csv];

export function formatNamed(name: FormatName): Format | undefined {
  return formats.find((format) => format.name === name);
}

/** The format of `bytes` by their beginning, or undefined; CSV is known only by what a country declares of it (`extracts`). */
export function detectFormat(bytes: Uint8Array, extracts: readonly CsvExtract[] = []): FormatName | undefined {
  return formats.find((format) => format.detect(bytes, extracts))?.name;
}
