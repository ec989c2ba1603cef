import { csvRows } from './lines.js';
import { Gathered, versionOf, wrong, type Release, type ReleaseFile, type ReleaseOptions } from './release.js';
import { readXml } from './xml-events.js';

const NOTICE =
  'ATC codes and names: WHO Collaborating Centre for Drug Statistics Methodology (https://www.whocc.no), under its terms. Not to be copied on.';

/** Lengths of a code of each level; the parent is the code of the level above. */
const levels = [1, 3, 4, 5, 7];
const isAtc = (code: string): boolean => /^[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?$/.test(code);

/**
 * The ATC index as the WHO centre or a country gives it: XML whose rows bear `ATCCode` and `Name` as attributes, or CSV with columns of these or
 * similar names. Specification only: no public sample of the centre's own files was at hand.
 */
export async function readAtc(files: readonly ReleaseFile[], options: ReleaseOptions): Promise<Release> {
  const gathered = new Gathered();
  const language = options.language ?? 'en';
  for (const file of files) await (/\.xml$/i.test(file.name) ? fromXml(file, language, gathered) : fromCsv(file, language, gathered));
  const name = files[0]?.name ?? 'atc';
  const concepts = gathered.done(name);
  addLevels(gathered);
  return {
    system: options.system ?? 'http://www.whocc.no/atc',
    version: versionOf(options, /(?<!\d)20\d\d(?!\d)/.exec(name)?.[0], name),
    isHierarchy: true,
    notice: NOTICE,
    concepts,
  };
}

function addLevels(gathered: Gathered): void {
  for (const code of gathered.concepts.keys()) {
    const above = levels[levels.indexOf(code.length) - 1];
    if (above !== undefined) gathered.parent(code, code.slice(0, above));
  }
}

function addTo(gathered: Gathered, code: string, name: string, language: string, place: string): void {
  if (!isAtc(code)) throw wrong(place, 'no ATC code');
  // A substance stands once for each of its defined daily doses.
  if (gathered.concepts.has(code)) return;
  gathered.add(code, place).name(code, language, name);
}

async function fromCsv(file: ReleaseFile, language: string, gathered: Gathered): Promise<void> {
  for await (const { place, cells } of csvRows(file)) {
    const byTitle = new Map(Object.entries(cells).map(([title, cell]) => [title.toLowerCase().replace(/[^a-z]/g, ''), cell.trim()]));
    const code = byTitle.get('atccode') ?? byTitle.get('code');
    const name = byTitle.get('atclevelname') ?? byTitle.get('atcname') ?? byTitle.get('name');
    if (code === undefined || name === undefined) throw wrong(place, 'no columns for ATC code and name');
    addTo(gathered, code, name, language, place);
  }
}

async function fromXml(file: ReleaseFile, language: string, gathered: Gathered): Promise<void> {
  await readXml(file, {
    open: ({ attributes }, place) => {
      const code = attributes['ATCCode'] ?? attributes['atccode'];
      const name = attributes['Name'] ?? attributes['name'];
      if (code !== undefined && name !== undefined) addTo(gathered, code.trim(), name, language, place);
    },
  });
}
