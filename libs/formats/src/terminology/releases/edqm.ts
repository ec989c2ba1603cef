import { parseBounded } from '@portolan/contracts';
import { isFhirObject, type FhirObject, type FhirValue } from '../../engine/fhir.js';
import { csvRows, wholeText } from './lines.js';
import { Gathered, isLanguage, versionOf, wrong, type Release, type ReleaseFile, type ReleaseOptions } from './release.js';

const NOTICE =
  'Standard Terms: European Directorate for the Quality of Medicines & HealthCare, Council of Europe (EDQM), https://standardterms.edqm.eu, under its terms.';

/** The whole database has some ten thousand terms in forty languages. */
const MAX_CHARS = 128_000_000;

/**
 * EDQM's standard terms as its service answers (JSON, `content`, each with `class`, `code`, `status`, `english` and `translations`), or as CSV with
 * the columns class, code, status, language and term. Only terms whose status is Current are read; the code is the number behind the class
 * (`PDF-10219000`). Specification only: no public sample of its files was at hand.
 */
export async function readEdqm(files: readonly ReleaseFile[], options: ReleaseOptions): Promise<Release> {
  const gathered = new Gathered();
  for (const file of files) await (/\.json$/i.test(file.name) ? fromJson(file, gathered) : fromCsv(file, options, gathered));
  const name = files[0]?.name ?? 'edqm';
  return {
    system: options.system ?? 'http://standardterms.edqm.eu',
    version: versionOf(options, /\d{4}-\d{2}-\d{2}/.exec(name)?.[0], name),
    isHierarchy: false,
    notice: NOTICE,
    concepts: gathered.done(name),
  };
}

async function fromJson(file: ReleaseFile, gathered: Gathered): Promise<void> {
  const json = parseBounded(await wholeText(file, MAX_CHARS), MAX_CHARS, 'terms.release-invalid', file.name) as FhirValue;
  const content = Array.isArray(json) ? json : isFhirObject(json) ? json['content'] : undefined;
  if (!Array.isArray(content)) throw wrong(file.name, 'has no list of terms (content)');
  for (const [i, term] of content.entries()) readTerm(term, `${file.name} content[${i}]`, gathered);
}

function readTerm(value: FhirValue, place: string, gathered: Gathered): void {
  const { code: written, english, status, translations }: Partial<FhirObject> = isFhirObject(value) ? value : {};
  if (typeof written !== 'string' || typeof english !== 'string') throw wrong(place, 'no term: code and english are wanted');
  if (!isCurrent(status)) return;
  const code = codeOf(written);
  gathered.add(code, place).name(code, 'en', english);
  for (const one of Array.isArray(translations) ? translations.filter(isFhirObject) : []) addTranslation(one, code, gathered);
}

function addTranslation({ language, term }: FhirObject, code: string, gathered: Gathered): void {
  if (typeof language === 'string' && isLanguage(language) && typeof term === 'string' && term !== '-') gathered.name(code, language, term);
}

async function fromCsv(file: ReleaseFile, { language: given = 'en' }: ReleaseOptions, gathered: Gathered): Promise<void> {
  for await (const { place, cells } of csvRows(file)) {
    const byTitle = new Map(Object.entries(cells).map(([title, cell]) => [title.toLowerCase(), cell.trim()]));
    const [code, term] = [byTitle.get('code'), byTitle.get('term') ?? byTitle.get('name')];
    const language = byTitle.get('language') ?? given;
    if (code === undefined || term === undefined) throw wrong(place, 'no columns for code and term');
    if (!isLanguage(language)) throw wrong(place, 'no language');
    if (isCurrent(byTitle.get('status'))) gathered.add(codeOf(code), place).name(codeOf(code), language, term);
  }
}

const isCurrent = (status: FhirValue | undefined): boolean =>
  status === undefined || (typeof status === 'string' && /^current/i.test(status));
const codeOf = (code: string): string => code.replace(/^[A-Z]{3}-/, '');
