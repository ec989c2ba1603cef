import {
  FhirValidator,
  fromFhirJson,
  isFhirObject,
  toFhirJson,
  type FhirObject,
  type FhirValue,
  type ValidationIssue,
  type ValidationOptions,
} from '@portolan/domain';
import { judgeDocument } from './document-closure.js';
import { FhirJsPass } from './fhirjs.js';
import { Invariants } from './invariants.js';
import { IPS_RULES, type ProfileRule } from './ips-rules.js';
import { IssueList } from './issue-list.js';
import { plainTwin } from './plain-twin.js';
import { PrimitiveForms } from './primitive-forms.js';
import { R4Definitions } from './r4-definitions.js';
import { judgeReferences } from './references.js';
import { StructureWalk, type WalkTools } from './structure-walk.js';
import { ValueSets } from './value-sets.js';
import { XmlReader } from './xml-reader.js';

/** Deeper than any resource from outside (MAX_JSON_DEPTH of contracts). */
const MAX_DEPTH = 64;

/**
 * FHIR R4 validation from HL7's own definitions: structure, types, cardinalities, choices, required bindings, narrative;
 * references and document closure; then FHIR.js's pass and the invariants (FHIRPath). The later ones run on what the
 * earlier ones let pass. Holds what it loaded: inject one instance for all countries of a process.
 */
export class R4Validator extends FhirValidator {
  private readonly tools: WalkTools;
  private readonly invariants: Invariants;
  private readonly fhirJs = new FhirJsPass();

  constructor(definitions: R4Definitions = new R4Definitions()) {
    super();
    const primitives = new PrimitiveForms(definitions);
    this.tools = { definitions, primitives, valueSets: new ValueSets(definitions), xml: new XmlReader() };
    this.invariants = new Invariants(definitions);
  }

  validate(resource: unknown, options: ValidationOptions = {}): readonly ValidationIssue[] {
    const issues = new IssueList();
    const tree = treeOf(resource);
    if (tree === undefined) {
      issues.add({ severity: 'fatal', code: 'structure', path: '', reason: 'no JSON object, or nested too deep' });
      return issues.all();
    }
    this.judge(tree, options, issues);
    return issues.all();
  }

  private judge(tree: FhirObject, options: ValidationOptions, issues: IssueList): void {
    const walk = new StructureWalk(this.tools, issues);
    walk.resource(tree, '');
    judgeReferences(walk, this.tools.definitions, issues);
    if (tree['resourceType'] === 'Bundle') judgeDocument(tree, 'Bundle', walk.references, issues);
    if (issues.hasErrors) return;
    const twin = plainTwin(tree);
    for (const issue of this.fhirJs.issues(twin.root)) issues.add(issue);
    this.invariants.judge(walk.checks, twin.of, issues);
    if (options.profile === 'ips') this.profile(IPS_RULES, tree, twin.of, issues);
  }

  private profile(rules: readonly ProfileRule[], tree: FhirObject, plain: (value: FhirValue) => unknown, issues: IssueList): void {
    if (tree['resourceType'] !== 'Bundle') {
      issues.error('invariant', 'Bundle', 'a summary is a document', 'ips-document');
      return;
    }
    for (const { path, resource } of resourcesOf(tree)) {
      for (const { key, on, expression, human } of rules) {
        const asked = resource['resourceType'] === on;
        if (asked && !this.invariants.holds(expression, plain(resource))) issues.error('invariant', path, human, key);
      }
    }
  }
}

/** The bundle and its entries' resources. */
function resourcesOf(tree: FhirObject): readonly { path: string; resource: FhirObject }[] {
  const entries = Array.isArray(tree['entry']) ? tree['entry'] : [];
  const nested = entries.map((entry, i) => ({
    path: `Bundle.entry[${i}].resource`,
    resource: isFhirObject(entry) ? entry['resource'] : undefined,
  }));
  return [
    { path: 'Bundle', resource: tree },
    ...nested.filter((one): one is { path: string; resource: FhirObject } => isFhirObject(one.resource)),
  ];
}

/** A tree of our own with digits kept, whatever decimals were given as; undefined where it is no object or too deep. */
function treeOf(value: unknown): FhirObject | undefined {
  try {
    if (depthOf(value, 0) > MAX_DEPTH) return undefined;
    const tree = fromFhirJson(toFhirJson(value as FhirValue));
    return (tree as unknown) !== null && isFhirObject(tree) ? tree : undefined;
  } catch {
    return undefined;
  }
}

function depthOf(value: unknown, depth: number): number {
  if (value === null || typeof value !== 'object' || depth > MAX_DEPTH) return depth;
  return Math.max(depth, ...Object.values(value).map((one) => depthOf(one, depth + 1)));
}
