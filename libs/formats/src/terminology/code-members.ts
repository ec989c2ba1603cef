/** Codes of one system: those listed, or all but those listed (`allBut`), since what a system holds in full need not be at hand. */
export interface SystemCodes {
  readonly allBut: boolean;
  readonly codes: ReadonlySet<string>;
}

/**
 * A set of codes, by system. Of a system that is not named no code belongs to it. Union, intersection and difference are those of sets, so that
 * a ValueSet of whatever depth becomes one look-up a code.
 */
export class CodeMembers {
  static readonly none = new CodeMembers(new Map());

  private constructor(readonly systems: ReadonlyMap<string, SystemCodes>) {}

  static of(system: string, codes: Iterable<string>): CodeMembers {
    return new CodeMembers(new Map([[system, { allBut: false, codes: new Set(codes) }]]));
  }

  /** Every code of a system, whatever they are. */
  static whole(system: string): CodeMembers {
    return new CodeMembers(new Map([[system, { allBut: true, codes: new Set() }]]));
  }

  /** Whether the code belongs; without a system, whether it does under any. */
  has(system: string | undefined, code: string): boolean {
    if (system === undefined) return [...this.systems.values()].some((one) => holds(one, code));
    const one = this.systems.get(system);
    return one !== undefined && holds(one, code);
  }

  /** The same as JSON, in one order: what a version is the hash of. */
  toJSON(): unknown {
    const sorted = [...this.systems].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([system, { allBut, codes }]) => ({ system, allBut, codes: [...codes].sort() }));
  }

  union(other: CodeMembers): CodeMembers {
    return this.combined(other, (a, b) => not(both(not(a), not(b))));
  }

  intersection(other: CodeMembers): CodeMembers {
    return this.combined(other, both);
  }

  difference(other: CodeMembers): CodeMembers {
    return this.combined(other, (a, b) => both(a, not(b)));
  }

  private combined(other: CodeMembers, by: (a: SystemCodes, b: SystemCodes) => SystemCodes): CodeMembers {
    const names = new Set([...this.systems.keys(), ...other.systems.keys()]);
    const made = [...names].map((name): [string, SystemCodes] => [
      name,
      by(this.systems.get(name) ?? empty, other.systems.get(name) ?? empty),
    ]);
    return new CodeMembers(new Map(made.filter(([, { allBut, codes }]) => allBut || codes.size > 0)));
  }
}

const empty: SystemCodes = { allBut: false, codes: new Set() };
const holds = ({ allBut, codes }: SystemCodes, code: string): boolean => codes.has(code) !== allBut;
const not = ({ allBut, codes }: SystemCodes): SystemCodes => ({ allBut: !allBut, codes });

/** Intersection; of two complements it is the complement of what either leaves out. */
function both(a: SystemCodes, b: SystemCodes): SystemCodes {
  if (a.allBut && b.allBut) return { allBut: true, codes: new Set([...a.codes, ...b.codes]) };
  const [some, other] = a.allBut ? [b, a] : [a, b];
  return { allBut: false, codes: new Set([...some.codes].filter((code) => holds(other, code))) };
}
