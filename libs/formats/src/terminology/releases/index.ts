import { readAtc } from './atc.js';
import { readEdqm } from './edqm.js';
import { readIcd10 } from './icd10.js';
import { readLoinc } from './loinc.js';
import type { Publisher, Release, ReleaseFile, ReleaseOptions } from './release.js';
import { readSnomed, readSnomedIps } from './snomed.js';

export { publishers, type Publisher, type Release, type ReleaseFile, type ReleaseOptions } from './release.js';

const readers: Readonly<Record<Publisher, (files: readonly ReleaseFile[], options: ReleaseOptions) => Promise<Release>>> = {
  loinc: readLoinc,
  snomed: readSnomed,
  'snomed-ips': readSnomedIps,
  atc: readAtc,
  edqm: readEdqm,
  icd10: readIcd10,
};

/**
 * Reads the files of a publisher's release, in pieces, into a code system. Throws PortolanError `terms.release-invalid` with file and line for what is
 * not in the publisher's layout, `terms.release-too-large` for what is beyond the bounds.
 */
export async function readRelease(publisher: Publisher, files: readonly ReleaseFile[], options: ReleaseOptions = {}): Promise<Release> {
  return readers[publisher](files, options);
}
