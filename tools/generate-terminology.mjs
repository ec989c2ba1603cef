// Makes the code systems that ship: those of HL7 that our maps, value sets and tables name, and SNOMED CT's free set, as HL7's terminology
// package has them. The package comes from npm and is compared with its pin, so that the same files are made anywhere.
//
//   node tools/generate-terminology.mjs [--check]
//
// --check: writes nothing, and ends with 1 where a file would be another one.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { npmArchive } from './engines/installer.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const into = join(root, 'libs/formats/src/terminology/shipped');
/** HL7 Terminology (THO). A new version: its name, its sum, run, and look at the difference. */
const source = {
  name: 'hl7.terminology.r4',
  version: '7.0.1',
  sha512: 'UamZUcARk/TEaJb7X0hDyANmC7bCv0Jof0u0uGIOB2O9VQX0uV45Vf4EyONHM6Sejv6q7sXEAzKAQsgw1Cld3A==',
};
const HL7 = 'http://terminology.hl7.org/CodeSystem/';
/** How HL7 says in a code system of its own that it is under CC0. */
const isCc0 = (copyright) => /CC0 designation/.test(copyright ?? '');

/** The code systems of HL7 that something of ours names: rules, code maps, value sets, and the tables of HL7 v2 by their number. */
function namedSystems() {
  const { tables } = JSON.parse(readFileSync(join(root, 'libs/formats/src/hl7v2/tables.json'), 'utf8'));
  const named = new Set(Object.keys(tables).map((number) => `${HL7}v2-${number}`));
  for (const folder of ['libs/formats/src', 'libs/countries', 'libs/domain/src'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(json|ts)$/.test(name) || name.startsWith('terminology/shipped')) continue;
      const text = readFileSync(join(root, folder, name), 'utf8');
      for (const [url] of text.matchAll(/http:\/\/terminology\.hl7\.org\/CodeSystem\/[A-Za-z0-9.-]*[A-Za-z0-9]/g)) named.add(url);
    }
  return named;
}

/** One line a concept: code, display, the codes above it, and whether it is out of use; parts at the end that are empty are left out. */
function linesOf(concepts, parent) {
  return concepts.flatMap(({ code, display = '', property = [], concept = [] }) => {
    const said = (name) => property.filter((one) => one.code === name).map((one) => one.valueCode ?? one.valueBoolean);
    const parents = [...new Set([...(parent === undefined ? [] : [parent]), ...said('subsumedBy'), ...said('parent')])];
    const isInactive = said('inactive').includes(true) || said('status').some((one) => one === 'inactive' || one === 'retired');
    const parts = [code, display.replace(/\s+/g, ' ').trim(), parents.join(','), isInactive ? 'inactive' : ''];
    if (/[\t\n]/.test(code) || parents.some((one) => /[\t\n,]/.test(one))) throw new Error(`a code that this form cannot hold: ${code}`);
    return [parts.join('\t').trimEnd(), ...linesOf(concept, code)];
  });
}

/** A concept that stands in several places: the first. */
function once(lines) {
  const byCode = new Map();
  for (const line of lines) {
    const [code] = line.split('\t');
    if (!byCode.has(code)) byCode.set(code, line);
  }
  return [...byCode.values()];
}

function hl7Systems(folder) {
  const named = namedSystems();
  const read = readdirSync(folder)
    .filter((name) => name.startsWith('CodeSystem-'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
    .filter(({ url }) => named.has(url))
    // Not judged by: what is no whole, is asked for in any case of letters, has no codes, or says nothing of CC0.
    .filter(({ content, caseSensitive, concept = [] }) => content === 'complete' && caseSensitive !== false && concept.length > 0)
    .filter(({ copyright }) => isCc0(copyright));
  const sorted = read.sort((a, b) => (a.url < b.url ? -1 : 1));
  return sorted.map(({ url, version, hierarchyMeaning, concept }) => ({
    url,
    version,
    isHierarchy: hierarchyMeaning === 'is-a',
    concepts: once(linesOf(concept)),
  }));
}

function freeSnomed(folder) {
  const { url, version, copyright, compose } = JSON.parse(readFileSync(join(folder, 'ValueSet-snomed-intl-gps.json'), 'utf8'));
  const [include, ...others] = compose.include;
  if (others.length > 0 || !/Creative Commons Attribution 4\.0 International/.test(copyright))
    throw new Error('the free set is another one than it was');
  return {
    valueSet: { url, version },
    system: include.system,
    version: include.version,
    notice: copyright,
    concepts: include.concept.map(({ code, display }) => `${code}\t${display}`),
  };
}

const work = mkdtempSync(join(tmpdir(), 'portolan-terminology-'));
let stale = 0;
try {
  const archive = await npmArchive(source, work, undefined);
  execFileSync('tar', ['-xzf', archive, '-C', work]);
  const folder = join(work, 'package');
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (about.license !== 'CC0-1.0') throw new Error(`the licence of ${source.name} is ${about.license} now`);
  const from = { package: source.name, version: source.version, sha512: source.sha512, date: about.date };
  const made = {
    'hl7.json': { source: { ...from, licence: about.license }, systems: hl7Systems(folder) },
    'snomed-gps.json': { source: { ...from, licence: 'CC-BY-4.0' }, ...freeSnomed(folder) },
  };
  for (const [name, content] of Object.entries(made)) {
    const path = join(into, name);
    const text = await prettier.format(JSON.stringify(content), { ...(await prettier.resolveConfig(path)), parser: 'json' });
    const codes = (content.systems ?? [content]).reduce((sum, { concepts }) => sum + concepts.length, 0);
    const isNew = !existsSync(path) || readFileSync(path, 'utf8') !== text;
    if (isNew && process.argv.includes('--check')) stale += 1;
    else if (isNew) writeFileSync(path, text);
    process.stdout.write(
      `${name}: ${content.systems?.length ?? 1} code systems, ${codes} codes, ${text.length} bytes${isNew ? '' : ', as it was'}\n`,
    );
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
if (stale > 0) {
  process.stderr.write('run npm run terminology\n');
  process.exitCode = 1;
}
