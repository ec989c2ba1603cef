import { csvRows } from './lines.js';
import { Gathered, versionOf, wrong, type Release, type ReleaseFile, type ReleaseOptions } from './release.js';

/** The notice that goes with every copy, as HL7's value sets with codes of LOINC have it (hl7.fhir.uv.ips 2.0.0). */
const NOTICE =
  'This material contains content from LOINC (http://loinc.org). LOINC is copyright (c) 1995-2020, Regenstrief Institute, Inc. and the Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no cost under the license at http://loinc.org/license. LOINC(R) is a registered United States trademark of Regenstrief Institute, Inc.';

/** `ptBR8LinguisticVariant.csv`: language, country and number of the variant. */
const variantName = /([a-z]{2})([A-Z]{2})\d+LinguisticVariant\.csv$/;

/**
 * LOINC's own table (`Loinc.csv`) and any of its linguistic variants (`AccessoryFiles/LinguisticVariants`), whose language stands in the file's
 * name. Deprecated codes are not read. Of a variant the display name counts, since its long common name may be left in English.
 */
export async function readLoinc(files: readonly ReleaseFile[], options: ReleaseOptions): Promise<Release> {
  const gathered = new Gathered();
  const [table, ...others] = [...files].sort((a, b) => Number(variantName.test(a.name)) - Number(variantName.test(b.name)));
  if (table === undefined || variantName.test(table.name)) throw wrong(table?.name ?? 'loinc', 'Loinc.csv itself is wanted besides');
  const changed = await readTable(table, gathered);
  for (const file of others) await readVariant(file, gathered);
  return {
    system: options.system ?? 'http://loinc.org',
    version: versionOf(options, changed, table.name),
    isHierarchy: false,
    notice: NOTICE,
    concepts: gathered.done(table.name),
  };
}

/** The newest version in which a code was last changed, which is the release's own. */
async function readTable(file: ReleaseFile, gathered: Gathered): Promise<string | undefined> {
  let newest: string | undefined;
  for await (const { place, cells } of csvRows(file)) {
    const { LOINC_NUM, LONG_COMMON_NAME, STATUS, VersionLastChanged = '' } = cells;
    if (LOINC_NUM === undefined || LONG_COMMON_NAME === undefined || STATUS === undefined)
      throw wrong(place, 'no row of Loinc.csv: LOINC_NUM, LONG_COMMON_NAME and STATUS are wanted');
    if (isNewer(VersionLastChanged, newest)) newest = VersionLastChanged;
    if (STATUS === 'DEPRECATED') continue;
    gathered.add(LOINC_NUM, place).name(LOINC_NUM, 'en', LONG_COMMON_NAME);
  }
  return newest;
}

/** `2.9` comes before `2.81`, which comes before `2.82`: the number behind the point counts as such, as Regenstrief numbers releases. */
function isNewer(version: string, than: string | undefined): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return false;
  const [, ofMajor = '0', ofMinor = '0'] = /^(\d+)\.(\d+)/.exec(than ?? '') ?? [];
  return Number(major) === Number(ofMajor) ? Number(minor) > Number(ofMinor) : Number(major) > Number(ofMajor);
}

async function readVariant(file: ReleaseFile, gathered: Gathered): Promise<void> {
  const [, language, country] = variantName.exec(file.name) ?? [];
  if (language === undefined || country === undefined)
    throw wrong(file.name, 'no linguistic variant: its name tells the language, as ptBR8LinguisticVariant.csv');
  for await (const { place, cells } of csvRows(file)) {
    const { LOINC_NUM, LinguisticVariantDisplayName = '', LONG_COMMON_NAME = '' } = cells;
    if (LOINC_NUM === undefined) throw wrong(place, 'no row of a linguistic variant: LOINC_NUM is wanted');
    gathered.name(
      LOINC_NUM,
      `${language}-${country}`,
      LinguisticVariantDisplayName.trim() === '' ? LONG_COMMON_NAME : LinguisticVariantDisplayName,
    );
  }
}
