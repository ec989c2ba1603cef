import { isFhirObject, type FhirObject, type FhirValue } from '../engine/fhir.js';
import { listAt, objectAt, optionalTextAt, refuseMembers, textAt } from '../engine/read-json.js';

/** What a code is called in some language. */
export interface Designation {
  /** BCP 47. */
  readonly language: string;
  readonly value: string;
}

/** One code with what is said of it. */
export interface Concept {
  readonly code: string;
  readonly display: string | undefined;
  readonly designations: readonly Designation[];
  /** Codes that subsume it, directly. */
  readonly parents: readonly string[];
  /** Values of its properties as text, by the property's code. */
  readonly properties: ReadonlyMap<string, readonly string[]>;
}

/** Deepest nesting of concepts in concepts. */
const MAX_DEPTH = 30;

/** Codes that a concept is called abstract, inactive or a child by are properties; these lead to parents. */
const PARENT = 'parent';
const CHILD = 'child';

/**
 * A FHIR R4 CodeSystem, read for membership and for displays (R4 §4.8). A supplement says more of the codes of another system (`supplements`),
 * of which it is no whole: what it is used for are designations.
 */
export class CodeSystem {
  private readonly children: ReadonlyMap<string, readonly string[]>;

  private constructor(
    readonly url: string,
    readonly version: string | undefined,
    /** `complete`, or a part of the system (`fragment`, `example`), or `supplement`. */
    readonly content: string,
    /** The system whose codes these are: its own URL, or that which it supplements. */
    readonly system: string,
    readonly language: string | undefined,
    readonly isHierarchy: boolean,
    readonly concepts: ReadonlyMap<string, Concept>,
  ) {
    this.children = childrenOf(concepts);
  }

  /** A system as its publisher released it: its codes are all known, unless it is a part. */
  static released(of: {
    readonly system: string;
    readonly version: string;
    readonly isHierarchy: boolean;
    readonly concepts: ReadonlyMap<string, Concept>;
    readonly isPart?: boolean;
  }): CodeSystem {
    return new CodeSystem(
      of.system,
      of.version,
      of.isPart === true ? 'fragment' : 'complete',
      of.system,
      undefined,
      of.isHierarchy,
      of.concepts,
    );
  }

  /** Throws a plain Error that says what is wrong, and where. */
  static read(json: unknown): CodeSystem {
    const system = objectAt(json as FhirValue, 'the file');
    if (system['resourceType'] !== 'CodeSystem') throw new Error('resourceType is not CodeSystem');
    refuseMembers(system, ['modifierExtension', 'implicitRules'], '');
    const url = textAt(system['url'], 'url');
    const content = textAt(system['content'], 'content');
    if (!['complete', 'fragment', 'example', 'supplement'].includes(content))
      throw new Error('content is none of complete, fragment, example, supplement: there are no codes to read');
    if (system['caseSensitive'] === false) throw new Error('caseSensitive false is not acted on: codes are compared as they are written');
    const supplemented = content === 'supplement' ? textAt(system['supplements'], 'supplements').replace(/\|.*$/, '') : url;
    const concepts = new Map<string, Concept>();
    const places = new Map<string, string>();
    readConcepts(system['concept'] ?? [], 'concept', undefined, { concepts, places }, 0);
    withChildProperties(concepts, places);
    if (content === 'complete') demandParents(concepts, places);
    const meaning = optionalTextAt(system['hierarchyMeaning'], 'hierarchyMeaning');
    return new CodeSystem(
      url,
      optionalTextAt(system['version'], 'version'),
      content,
      supplemented,
      optionalTextAt(system['language'], 'language'),
      meaning === 'is-a',
      concepts,
    );
  }

  /** The code and all that it subsumes. Where the hierarchy has a circle, each once. */
  below(code: string): ReadonlySet<string> {
    const found = new Set<string>();
    const open = [code];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (found.has(at)) continue;
      found.add(at);
      open.push(...(this.children.get(at) ?? []));
    }
    return found;
  }
}

/** Concepts by code, and where each stands. */
interface Read {
  readonly concepts: Map<string, Concept>;
  readonly places: Map<string, string>;
}

function readConcepts(value: FhirValue, where: string, parent: string | undefined, into: Read, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`${where} is nested deeper than ${MAX_DEPTH}`);
  for (const [i, one] of listAt(value, where).entries()) {
    const place = `${where}[${i}]`;
    const concept = objectAt(one, place);
    refuseMembers(concept, ['modifierExtension'], place);
    const code = textAt(concept['code'], `${place}.code`);
    if (into.concepts.has(code)) throw new Error(`${place}.code stands twice`);
    const properties = propertiesOf(concept['property'] ?? [], `${place}.property`);
    const parents = [...(parent === undefined ? [] : [parent]), ...(properties.get(PARENT) ?? [])];
    into.places.set(code, place);
    into.concepts.set(code, {
      code,
      display: optionalTextAt(concept['display'], `${place}.display`),
      designations: readDesignations(concept['designation'] ?? [], `${place}.designation`),
      parents: [...new Set(parents)],
      properties,
    });
    if (concept['concept'] !== undefined) readConcepts(concept['concept'], `${place}.concept`, code, into, depth + 1);
  }
}

/** Designations that name a language; of the others nobody can tell for whom they are. */
export function readDesignations(value: FhirValue, where: string): Designation[] {
  return listAt(value, where).flatMap((one, i) => {
    const designation = objectAt(one, `${where}[${i}]`);
    const text = textAt(designation['value'], `${where}[${i}].value`);
    const language = optionalTextAt(designation['language'], `${where}[${i}].language`);
    return language === undefined ? [] : [{ language, value: text }];
  });
}

function propertiesOf(value: FhirValue, where: string): ReadonlyMap<string, readonly string[]> {
  const properties = new Map<string, string[]>();
  for (const [i, one] of listAt(value, where).entries()) {
    const property = objectAt(one, `${where}[${i}]`);
    const code = textAt(property['code'], `${where}[${i}].code`);
    const said = Object.entries(property).find(([name]) => name.startsWith('value'))?.[1];
    if (said === undefined) throw new Error(`${where}[${i}] has no value`);
    properties.set(code, [...(properties.get(code) ?? []), propertyText(said)]);
  }
  return properties;
}

function propertyText(value: FhirValue): string {
  if (!isFhirObject(value)) return Array.isArray(value) ? '' : String(typeof value === 'object' ? value.text : value);
  const { code }: FhirObject = value;
  return typeof code === 'string' ? code : '';
}

/** A concept may name its children rather than they it. */
function withChildProperties(concepts: Map<string, Concept>, places: ReadonlyMap<string, string>): void {
  for (const [parent, { properties }] of [...concepts]) {
    for (const child of properties.get(CHILD) ?? []) {
      const concept = concepts.get(child);
      if (concept === undefined)
        throw new Error(`${places.get(parent) ?? 'concept'}.property: the child ${child} of ${parent} is no concept`);
      if (!concept.parents.includes(parent)) concepts.set(child, { ...concept, parents: [...concept.parents, parent] });
    }
  }
}

function demandParents(concepts: ReadonlyMap<string, Concept>, places: ReadonlyMap<string, string>): void {
  for (const { code, parents } of concepts.values()) {
    const stranger = parents.find((parent) => !concepts.has(parent));
    if (stranger !== undefined)
      throw new Error(`${places.get(code) ?? 'concept'}.property: the parent ${stranger} of ${code} is no concept`);
  }
}

function childrenOf(concepts: ReadonlyMap<string, Concept>): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const { code, parents } of concepts.values()) {
    for (const parent of parents) {
      const list = children.get(parent);
      if (list === undefined) children.set(parent, [code]);
      else list.push(code);
    }
  }
  return children;
}
