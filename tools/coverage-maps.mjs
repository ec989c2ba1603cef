// Which rows of HL7's v2-to-FHIR tables our rules serve, over our own messages, and what becomes of the values of the public documents of each
// format: npm run coverage:maps -- [--json] [--all] [--write]
// --all takes the rules of every row out and looks whether the row is served no more; --write notes how many are served, below which no test lets us fall.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bootstrap/places.mjs';

const { countryOfTables, dependsOnRules, reportOf, served, specimenOf, typedValues } =
  await import('../libs/formats/dist/testing/coverage/index.js');

const { codedValues, fatesOf } = await import('../libs/formats/dist/testing/documents.js');
const { countryPack, translate } = await import('../libs/formats/dist/index.js');

const wants = new Set(process.argv.slice(2));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const country = countryOfTables();
const set = country.sets.get('hl7v2');

function specimensIn(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.hl7'));
  return names.map((name) => specimenOf(name, readFileSync(join(folder, name)), country, sha256));
}

const own = served(set, specimensIn(join(root, 'libs/formats/fixtures/hl7v2')));
const report = reportOf(own);
const shared = join(root, '../shared/fixtures/hl7v2');
const publicOnes = existsSync(shared) ? specimensIn(shared) : undefined;
const beside = publicOnes === undefined ? undefined : [...served(set, publicOnes).keys()].filter((key) => !own.has(key));
const counts = (publicOnes ?? []).map((one) => typedValues(one.root, one.translated(set)));
const sum = (what) => counts.reduce((total, one) => total + one[what], 0);
const typed =
  publicOnes === undefined
    ? undefined
    : {
        values: sum('values'),
        typed: sum('typed'),
        share: sum('typed') / sum('values'),
        shareOfAllNamed: sum('typedOfNamed') / sum('named'),
      };
const notDependent = wants.has('--all')
  ? [...own.values()].filter((one) => !dependsOnRules(one, set)).map(({ row }) => row.key)
  : undefined;
/** Folders of public documents beside this clone, how their names end, and the country by whose rules they are read. */
const publicFolders = [
  ['hl7v2', '.hl7', 'pt'],
  ['ccda', '', 'pt'],
  ['ehdsi-patient-summary', '.xml', 'pt'],
  ['kmehr', '.kmehr.xml', 'be'],
];

function packOf(cc) {
  const folder = join(root, 'libs/countries', cc);
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.json'));
  return countryPack(Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8'))])));
}

/** What becomes of the values of a folder's documents; undefined where there is none. */
function valuesIn(name, ending, cc) {
  const folder = join(root, '../shared/fixtures', name);
  if (!existsSync(folder)) return undefined;
  const pack = packOf(cc);
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(ending));
  const all = files.map((file) => {
    const bytes = readFileSync(join(folder, file));
    return translate({ bytes, format: 'auto', country: pack, sha256, received: '2026-11-20T10:00:00.000Z', maxBytes: 10_000_000 });
  });
  const coded = all.map((one) => codedValues(one));
  const ofCoded = (what) => coded.reduce((total, one) => total + one[what], 0);
  const isCda = all.some(({ format }) => format === 'cda');
  return {
    documents: files.length,
    ...fatesOf(all),
    ...(isCda && { coded: { values: ofCoded('values'), typed: ofCoded('typed'), kinds: ofCoded('kinds') } }),
  };
}
const values = Object.fromEntries(publicFolders.map(([name, ...rest]) => [name, valuesIn(name, ...rest)]));

const answer = {
  ...report,
  valuesOfPublicDocuments: values,
  servedByPublicMessagesAlone: beside,
  typedValuesOfPublicMessages: typed,
  servedWithoutTheirRules: notDependent,
};

if (wants.has('--write')) {
  const noted = Object.fromEntries(report.tables.filter((one) => one.served > 0).map((one) => [one.table, one.served]));
  writeFileSync(join(root, 'libs/formats/src/testing/coverage/served.json'), `${JSON.stringify(noted, undefined, 2)}\n`);
}
if (wants.has('--json')) console.log(JSON.stringify(answer));
else {
  for (const { table, rows, served: count, excepted, lacking } of report.tables) {
    console.log(
      `${table.padEnd(52)} ${String(count).padStart(3)} of ${String(rows - excepted).padStart(3)}${excepted > 0 ? `, ${excepted} left out on purpose` : ''}`,
    );
    for (const text of lacking) console.log(`    lacks ${text}`);
  }
  for (const [reason, count] of Object.entries(report.reasons)) console.log(`${count} rows left out on purpose: ${reason}`);
  console.log(
    `${report.served} of ${report.rows - report.excepted} rows, ${(100 * report.share).toFixed(1)} %; ${report.excepted} left out on purpose`,
  );
  console.log(
    beside === undefined
      ? 'no ../shared/fixtures/hl7v2 beside this clone'
      : `${beside.length} more only by the public messages in ../shared/fixtures/hl7v2`,
  );
  if (typed !== undefined)
    console.log(
      `${typed.typed} of their ${typed.values} values that a row with a FHIR target takes stand in a typed element, ${(100 * typed.share).toFixed(1)} %; of all values whose field has a row, whatever it demands, ${(100 * typed.shareOfAllNamed).toFixed(1)} %`,
    );
  for (const [name, one] of Object.entries(values)) if (one !== undefined) console.log(`${name}: ${fatesTold(one)}`);
  if (notDependent !== undefined)
    console.log(`${own.size} rows tried without their rules; still served: ${notDependent.length}`, notDependent.slice(0, 20));
}

function fatesTold({ documents, values: all, mapped, chose, carried, ignored, coded }) {
  const share = (count) => `${count} (${((100 * count) / all).toFixed(1)} %)`;
  const fates = `${share(mapped)} mapped, ${share(chose)} chose a resource and are carried, ${share(carried)} carried, ${share(ignored)} ignored`;
  const ofCoded =
    coded &&
    `; of ${coded.values} coded and dated values ${coded.typed} (${((100 * coded.typed) / coded.values).toFixed(1)} %) stand in a typed element, ${coded.kinds} more only say of what kind an entry is`;
  return `${documents} documents, ${all} values: ${fates}${ofCoded ?? ''}`;
}

process.exitCode = (notDependent?.length ?? 0) > 0 ? 1 : 0;
