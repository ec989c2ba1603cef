import { tabRows, type Row } from './lines.js';
import { Gathered, versionOf, wrong, type Release, type ReleaseFile, type ReleaseOptions } from './release.js';

const NOTICE =
  'This material includes SNOMED Clinical Terms(R) (SNOMED CT(R)) which is used by permission of SNOMED International. All rights reserved. SNOMED CT(R) was originally created by The College of American Pathologists.';

/** As HL7's guides that use the set say it (International Patient Summary, value sets of the IPS free set). */
const IPS_NOTICE =
  'The SNOMED International IPS Terminology is distributed by International Health Terminology Standards Development Organisation, trading as SNOMED International, and is subject to the terms of the Creative Commons Attribution 4.0 International Public License (https://creativecommons.org/licenses/by/4.0/). SNOMED CT(R) was originally created by the College of American Pathologists.';

const SYNONYM = '900000000000013009';
const PREFERRED = '900000000000548007';
const IS_A = '116680003';

type Kind = 'Concept' | 'Language' | 'Description' | 'Relationship';

/** The order in which files are read: what comes later refers to what came before. */
const order: readonly Kind[] = ['Concept', 'Language', 'Description', 'Relationship'];

/** Names of release files (SNOMED CT Release File Specifications, "File Naming Convention"): `sct2_Concept_Snapshot_INT_20260301.txt`. */
const fileName =
  /^x?(?:sct2|der2)_(?:cRefset_)?(Concept|Language|Description|Relationship)[A-Za-z]*?(?:Snapshot|Full|Delta)?.*_(\d{8})\.txt$/;

/**
 * Concepts, descriptions, stated or inferred relationships and language reference sets of a SNOMED CT release (RF2), its snapshots alone. What is
 * inactive is not read. A term that a language reference set prefers stands first; without such a set, the first synonym of its language.
 */
export async function readSnomed(files: readonly ReleaseFile[], options: ReleaseOptions): Promise<Release> {
  const known = files.map((file) => ({ file, ...kindOf(file.name) })).sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  const [first] = known;
  if (first?.kind !== 'Concept') throw wrong(first?.file.name ?? 'snomed', 'the snapshot of concepts is wanted besides');
  if (!known.some(({ kind }) => kind === 'Description')) throw wrong(first.file.name, 'the snapshot of descriptions is wanted besides');
  const gathered = new Gathered();
  const preferred = new Set<string>();
  const terms = new Terms(gathered, preferred);
  for (const { file, kind } of known) for await (const row of tabRows(file)) read[kind](row, gathered, preferred, terms);
  terms.settle();
  const date = known
    .map((one) => one.date)
    .sort()
    .at(-1);
  return {
    system: options.system ?? 'http://snomed.info/sct',
    version: versionOf(options, date, first.file.name),
    isHierarchy: known.some(({ kind }) => kind === 'Relationship'),
    notice: NOTICE,
    concepts: gathered.done(first.file.name),
  };
}

/** The free set for patient summaries: snapshots in the same layout, and a part of SNOMED CT. */
export async function readSnomedIps(files: readonly ReleaseFile[], options: ReleaseOptions): Promise<Release> {
  return { ...(await readSnomed(files, options)), notice: IPS_NOTICE, isPart: true };
}

function kindOf(name: string): { kind: Kind; date: string } {
  const base = name.replace(/^.*[\\/]/, '');
  const [, kind, date] = fileName.exec(base) ?? [];
  if (kind === undefined || date === undefined || !base.includes('Snapshot'))
    throw wrong(name, 'no snapshot of concepts, descriptions, relationships or a language');
  return { kind: kind as Kind, date };
}

const read: Readonly<Record<Kind, (row: Row, gathered: Gathered, preferred: Set<string>, terms: Terms) => void>> = {
  Concept: ({ place, cells }, gathered) => {
    if (isActive(cells, ['definitionStatusId'], place)) gathered.add(cells['id'] ?? '', place);
  },
  Language: ({ place, cells }, _gathered, preferred) => {
    const { referencedComponentId = '', acceptabilityId } = cells;
    if (isActive(cells, ['referencedComponentId', 'acceptabilityId'], place) && acceptabilityId === PREFERRED)
      preferred.add(referencedComponentId);
  },
  Description: ({ place, cells }, _gathered, _preferred, terms) => {
    const { id = '', conceptId = '', languageCode = '', typeId, term = '' } = cells;
    if (isActive(cells, ['conceptId', 'languageCode', 'typeId', 'term'], place) && typeId === SYNONYM)
      terms.add(id, conceptId, languageCode, term);
  },
  Relationship: ({ place, cells }, gathered) => {
    const { sourceId = '', destinationId = '', typeId } = cells;
    if (isActive(cells, ['sourceId', 'destinationId', 'typeId'], place) && typeId === IS_A) gathered.parent(sourceId, destinationId);
  },
};

function isActive(cells: Row['cells'], columns: readonly string[], place: string): boolean {
  const missing = ['id', 'active', ...columns].find((one) => cells[one] === undefined);
  if (missing !== undefined) throw wrong(place, `has no column ${missing}`);
  return cells['active'] === '1';
}

/** One term a concept and language: the preferred one, else the first. */
class Terms {
  private readonly chosen = new Map<string, { term: string; isPreferred: boolean }>();

  constructor(
    private readonly gathered: Gathered,
    private readonly preferred: ReadonlySet<string>,
  ) {}

  add(id: string, concept: string, language: string, term: string): void {
    if (!this.gathered.concepts.has(concept)) return;
    const key = `${concept}|${language}`;
    const isPreferred = this.preferred.has(id);
    const before = this.chosen.get(key);
    if (before === undefined || (isPreferred && !before.isPreferred)) this.chosen.set(key, { term, isPreferred });
  }

  settle(): void {
    for (const [key, { term }] of this.chosen) {
      const [concept = '', language = ''] = key.split('|');
      this.gathered.name(concept, language, term);
    }
  }
}
