import hl7 from './shipped/hl7.json' with { type: 'json' };
import snomed from './shipped/snomed-gps.json' with { type: 'json' };
import { CodeMembers } from './code-members.js';
import { CodeSystem, type Concept } from './code-system.js';
import type { ValueSetSource } from './value-set.js';

// What ships of other people's terminology (tools/generate-terminology.mjs makes the files): each concept a line of code, display, the codes above
// it, and whether it is out of use.

const none: readonly never[] = [];
const inUse: Concept['properties'] = new Map();
const outOfUse: Concept['properties'] = new Map([['inactive', ['true']]]);

function conceptOf(line: string): [string, Concept] {
  const [code = '', display = '', parents = '', inactive = ''] = line.split('\t');
  const concept: Concept = {
    code,
    display: display === '' ? undefined : display,
    designations: none,
    parents: parents === '' ? none : parents.split(','),
    properties: inactive === '' ? inUse : outOfUse,
  };
  return [code, concept];
}

const conceptsOf = (lines: readonly string[]): ReadonlyMap<string, Concept> => new Map(lines.map(conceptOf));

/** Of which release the code systems of HL7 are. */
export const hl7Release: string = `${hl7.source.package} ${hl7.source.version}`;

/** Code systems of HL7 (CC0 1.0), each whole: what is none of their codes does not exist. */
export const hl7Systems: ReadonlyMap<string, CodeSystem> = new Map(
  hl7.systems.map(({ url, version, isHierarchy, concepts }) => [
    url,
    CodeSystem.released({ system: url, version, isHierarchy, concepts: conceptsOf(concepts) }),
  ]),
);

/** SNOMED CT's free set (SNOMED International, CC BY 4.0): a part of SNOMED CT, so that nothing can be said of a code that is not in it. */
export const freeSnomed: CodeSystem = CodeSystem.released({
  system: snomed.system,
  version: snomed.version,
  isHierarchy: false,
  concepts: conceptsOf(snomed.concepts),
  isPart: true,
});

/** The same as the value set that HL7 publishes it as. */
export const freeSnomedSet: ValueSetSource = {
  url: snomed.valueSet.url,
  version: snomed.valueSet.version,
  expanded: CodeMembers.of(snomed.system, freeSnomed.concepts.keys()),
  includes: none,
  excludes: none,
  activeOnly: false,
};
