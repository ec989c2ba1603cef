import type { R4Definitions } from './r4-definitions.js';

/** Sets that list no codes but have a form: R4 binds MIME types (BCP 13) and currencies (ISO 4217) so. */
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['http://hl7.org/fhir/ValueSet/mimetypes', /^(?:json|xml|ttl|[\w.+-]+\/[\w.+*-]+(?:\s*;.*)?)$/],
  ['http://hl7.org/fhir/ValueSet/currencies', /^[A-Z]{3}$/],
]);

/** Membership in the value sets of required bindings. */
export class ValueSets {
  private readonly expanded = new Map<string, ReadonlyMap<string, ReadonlySet<string>> | undefined>();

  constructor(private readonly definitions: R4Definitions) {}

  /** Whether the code is in the set; without `system` that of any system will do (elements of type code). */
  holds(url: string, system: string | undefined, code: string): boolean {
    const form = FORMS.get(url);
    if (form !== undefined) return form.test(code);
    const systems = this.expand(url);
    if (systems === undefined) return true;
    if (system !== undefined) return systems.get(system)?.has(code) ?? false;
    return [...systems.values()].some((codes) => codes.has(code));
  }

  private expand(url: string): ReadonlyMap<string, ReadonlySet<string>> | undefined {
    if (this.expanded.has(url)) return this.expanded.get(url);
    const row = this.definitions.valueSet(url);
    const systems = row === undefined ? undefined : new Map(Object.entries(row).map(([system, codes]) => [system, new Set(codes)]));
    this.expanded.set(url, systems);
    return systems;
  }
}
