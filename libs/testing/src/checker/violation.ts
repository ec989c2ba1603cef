/** An invariant of the design that does not hold, and where. */
export interface Violation {
  /** Number in design.md, section 2. */
  readonly invariant: number;
  /** The place: country, schema, table and row. Never a person. */
  readonly where: string;
  readonly what: string;
}

/** Collects what does not hold. */
export class Findings {
  readonly violations: Violation[] = [];

  demand(holds: boolean, invariant: number, where: string, what: string): void {
    if (!holds) this.violations.push({ invariant, where, what });
  }

  /** Each of `items` has a name of its own. */
  demandOnce(items: Iterable<string>, invariant: number, where: string, what: string): void {
    const seen = new Set<string>();
    for (const item of items) {
      this.demand(!seen.has(item), invariant, `${where} ${item}`, what);
      seen.add(item);
    }
  }
}
