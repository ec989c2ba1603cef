/** What a scope can permit: create, read, update, delete, search (SMART App Launch 2.2, "Scopes for requesting FHIR resources"). */
export type ScopeAct = 'c' | 'r' | 'u' | 'd' | 's';

/** `system/`: a machine's own token; `user/`: an application that somebody logged in to. */
export type ScopeContext = 'system' | 'user';

const SCOPE = /^(system|user)\/(\*|[A-Z][A-Za-z]{1,63})\.(\*|read|write|(?=[cruds])c?r?u?d?s?)$/;
const VERSION_1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/**
 * Whether the scopes of a token permit an act on a type; `'*'` asks for all types at once, which only a wildcard gives. Scopes of
 * version 1 (`system/*.read`) and 2 (`system/Observation.rs`) count. A scope narrowed by a query (`…rs?category=…`) permits nothing
 * here: it would have to narrow every answer.
 */
export function scopeAllows(scopes: readonly string[], context: ScopeContext, type: string, act: ScopeAct): boolean {
  return scopes.some((scope) => {
    const [, holder, of, acts = ''] = SCOPE.exec(scope) ?? [];
    return holder === context && (of === '*' || of === type) && (VERSION_1[acts] ?? acts).includes(act);
  });
}
