import { bundleOf, custodianEntry, type Assembled, type Assembly } from './bundle.js';
import { categoriesOf } from './categories.js';
import { shownTime } from './clinical-time.js';
import { compositionOf, type Heading } from './composition.js';
import { entriesOf, type Entry } from './entries.js';
import { keyOf, literalReferences, targetOf } from './references.js';
import { objects, text, type JsonObject, type Resource } from './resource.js';

/** A document about one examination or stay. */
export type ReportKind = 'laboratory' | 'imaging' | 'discharge';

/** LOINC document codes; of an examination's document the results are shown, of a stay's whatever was found or done in it. */
const kinds: Readonly<Record<ReportKind, { code: string; display: string; sections?: Heading['sections'] & object }>> = {
  laboratory: { code: '11502-2', display: 'Laboratory report', sections: ['results'] },
  imaging: { code: '18748-4', display: 'Diagnostic imaging study', sections: ['results', 'imaging'] },
  discharge: { code: '34105-7', display: 'Hospital Discharge summary' },
};

/** Which document tells of this resource: a report of a laboratory or of imaging, or a stay. */
export function reportKindOf(root: Resource): ReportKind | undefined {
  if (root.resourceType === 'Encounter') return 'discharge';
  if (root.resourceType !== 'DiagnosticReport') return undefined;
  return (['laboratory', 'imaging'] as const).find((kind) => categoriesOf(root).includes(kind));
}

/**
 * A report of a laboratory, of imaging, or of a stay as a FHIR R4 document Bundle: Composition, Patient, what the report is about, what was
 * found, and what these refer to. No claim of a profile. Undefined where the content does not hold `root` (`Type/id`), or it is none of these.
 */
export function assembleReport(assembly: Assembly, root: string): Assembled | undefined {
  const { content, custodian, sha256 } = assembly;
  const about = content.resources.find((resource) => keyOf(resource) === root);
  const kind = about && reportKindOf(about);
  if (about === undefined || kind === undefined) return undefined;
  const resources = belonging(about, content.resources);
  const { patient, shown, supports } = entriesOf({ ...content, resources }, custodian.country, sha256, root);
  const record = [patient, ...shown, ...supports];
  const keeper = custodianEntry(assembly);
  const composition = compositionOf(headingOf(kind, about, record, keeper, assembly), record, assembly);
  return { bundle: bundleOf('document', [composition, ...record, keeper], assembly), entries: record };
}

/** What a report refers to; of a stay, too, what names it. A report does not draw in the stay that it belongs to, nor what else was done there. */
function belonging(root: Resource, all: readonly Resource[]): readonly Resource[] {
  const byKey = new Map(all.map((resource) => [keyOf(resource), resource]));
  const isStay = root.resourceType === 'Encounter';
  const named = isStay ? all.filter((one) => targetOf(text(one['encounter'], 'reference') ?? '') === keyOf(root)) : [];
  const kept = new Set<string>();
  const queue = [root, ...named];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (kept.has(keyOf(next))) continue;
    kept.add(keyOf(next));
    const targets = literalReferences(next).filter(({ key }) => key !== 'encounter');
    queue.push(...targets.flatMap(({ target }) => byKey.get(target) ?? []));
  }
  return all.filter((resource) => kept.has(keyOf(resource)));
}

function headingOf(kind: ReportKind, about: Resource, record: readonly Entry[], keeper: Entry, { wording, timestamp }: Assembly): Heading {
  const { code, display, sections } = kinds[kind];
  const authors = authorsOf(record.find(({ source }) => source === keyOf(about))?.resource ?? about, record);
  const stay = record.find(({ source }) => kind === 'discharge' && source === keyOf(about));
  return {
    about: keyOf(about),
    elements: {
      status: statusOf(about),
      type: { coding: [{ system: 'http://loinc.org', code, display }] },
      ...(stay === undefined ? {} : { encounter: { reference: stay.fullUrl } }),
      date: saidAt(about) ?? timestamp,
      author: authors.length > 0 ? [...authors] : [{ reference: keeper.fullUrl }],
      title: wording.documents?.[kind] ?? display,
      custodian: { reference: keeper.fullUrl },
    },
    ...(sections === undefined ? {} : { sections }),
  };
}

/** When a report was issued, and a stay ended; else when it was. */
const saidAt = (about: Resource): string | undefined => text(about, 'issued') ?? text(about['period'], 'end') ?? shownTime(about);

/** Who answers for it: performers of a report, the provider of a stay; only who stands in the document. */
function authorsOf(about: Resource, record: readonly Entry[]): readonly JsonObject[] {
  const inside = new Set(record.map(({ fullUrl }) => fullUrl));
  const named = [...objects(about['performer']), ...objects([about['serviceProvider'] ?? null])];
  return named.map((one) => text(one, 'reference')).flatMap((url) => (url !== undefined && inside.has(url) ? [{ reference: url }] : []));
}

/** FHIR R4 composition-status of a report's or a stay's own status. */
function statusOf(about: Resource): string {
  const status = text(about, 'status') ?? '';
  if (status === 'entered-in-error') return status;
  if (['final', 'finished'].includes(status)) return 'final';
  return ['amended', 'corrected', 'appended'].includes(status) ? 'amended' : 'preliminary';
}
