import { createRequire } from 'node:module';
import type { FhirObject, FhirValue } from '@portolan/domain';
import type * as FhirPath from 'fhirpath';
import type { IssueList } from './issue-list.js';
import type { R4Definitions } from './r4-definitions.js';
import type { InvariantCheck } from './structure-walk.js';

type Evaluate = (value: unknown, environment: Record<string, unknown>) => unknown[];
interface Engine {
  readonly fhirpath: typeof FhirPath;
  readonly model: FhirPath.Model;
}

/** Judged elsewhere: narratives by their own reader, references by the closure, dom-3 by both (its expression is not valid FHIRPath). */
const JUDGED_ELSEWHERE: ReadonlySet<string> = new Set(['txt-1', 'txt-2', 'ref-1', 'dom-3']);
/** Ask something only of what contains resources, which is rare: not evaluated for the others. */
const OF_CONTAINERS: ReadonlySet<string> = new Set(['dom-2', 'dom-4', 'dom-5']);

/** Most evaluations of one validation, about a second of work; a document of 40 resources takes some 700. */
const MAX_EVALUATIONS = 20_000;

/** Evaluates the invariants of R4 (FHIRPath, npm fhirpath with its R4 model); an expression is compiled once, at first use. */
export class Invariants {
  private readonly compiled = new Map<string, Evaluate>();
  private loaded: Engine | undefined;

  constructor(private readonly definitions: R4Definitions) {}

  /** `plain` gives the value with numbers for decimals, as FHIRPath wants it. */
  judge(checks: readonly InvariantCheck[], plain: (value: FhirValue) => unknown, issues: IssueList): void {
    if (checks.reduce((sum, { keys }) => sum + keys.length, 0) > MAX_EVALUATIONS) {
      issues.add({
        severity: 'fatal',
        code: 'too-costly',
        path: '',
        reason: `more than ${MAX_EVALUATIONS} rules to evaluate: send less at once`,
      });
      return;
    }
    for (const check of checks) {
      for (const key of check.keys) this.one(key, check, plain, issues);
    }
  }

  /** Whether the expression holds at a resource; for rules that are not R4's own. */
  holds(expression: string, resource: unknown): boolean {
    return isTrue(this.evaluator(expression, undefined, expression)(resource, {}));
  }

  private one(key: string, { base, value, path, scope }: InvariantCheck, plain: (value: FhirValue) => unknown, issues: IssueList): void {
    if (JUDGED_ELSEWHERE.has(key) || (OF_CONTAINERS.has(key) && (value as FhirObject)['contained'] === undefined)) return;
    // A contained resource has its narrative in its container's (R4 §2.3.5).
    if (key === 'dom-6' && scope.resource !== scope.root) return;
    const { expression, human, severity } = this.definitions.invariant(key);
    const evaluate = this.evaluator(`${base ?? ''}|${key}`, base, expression);
    const environment = { resource: plain(scope.resource), rootResource: plain(scope.root) };
    if (!holdsSafely(evaluate, plain(value), environment)) issues.add({ severity, code: 'invariant', path, reason: human, rule: key });
  }

  private evaluator(name: string, base: string | undefined, expression: string): Evaluate {
    const known = this.compiled.get(name);
    if (known !== undefined) return known;
    const { fhirpath, model } = this.engine();
    const compiled = fhirpath.compile(base === undefined ? expression : { base, expression }, model, { traceFn: () => undefined });
    const evaluate: Evaluate = (value, environment) => compiled(value, environment) as unknown[];
    this.compiled.set(name, evaluate);
    return evaluate;
  }

  private engine(): Engine {
    this.loaded ??= {
      fhirpath: load('fhirpath') as typeof FhirPath,
      model: load('fhirpath/fhir-context/r4') as FhirPath.Model,
    };
    return this.loaded;
  }
}

/** The package's CommonJS or ES module, as the process resolves it; loaded late: it takes 80 ms, and a start may not need it. */
function load(name: string): unknown {
  const loaded = createRequire(import.meta.url)(name) as { default?: unknown };
  return loaded.default ?? loaded;
}

/** An invariant holds unless it says false: an empty answer is no violation (FHIRPath: nothing to compare). */
const isTrue = (answer: readonly unknown[]): boolean => answer[0] !== false;

/** What cannot be evaluated on this value is no proof that the value is right. */
function holdsSafely(evaluate: Evaluate, value: unknown, environment: Record<string, unknown>): boolean {
  try {
    return isTrue(evaluate(value, environment));
  } catch {
    return false;
  }
}
