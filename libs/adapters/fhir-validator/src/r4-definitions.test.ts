import { SEARCH_PARAMETERS, SEARCHABLE_TYPES, searchValues, type FhirObject, type SearchParameter } from '@portolan/domain';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { Invariants } from './invariants.js';
import { IPS_RULES } from './ips-rules.js';
import { R4Definitions, type Shape } from './r4-definitions.js';
import { ipsDocument } from './test/ips-document.fixture.js';

const data = (name: string): unknown => JSON.parse(readFileSync(new URL(`../data/${name}.json`, import.meta.url), 'utf8'));
const definitions = new R4Definitions();
const types = Object.keys((data('r4-definitions') as { types: object }).types);

describe('the definitions of R4', () => {
  it('hold 209 types, each of whose shapes can be made, to the last backbone element', () => {
    const complex = types.filter((type) => definitions.pattern(type) === undefined && type !== 'boolean' && type !== 'xhtml');
    const seen = new Set<string>();
    const visit = (shape: Shape): void => {
      if (seen.has(shape.path)) return;
      seen.add(shape.path);
      for (const { shape: inner } of shape.forms.values()) if (inner !== undefined) visit(definitions.shape(inner));
    };
    for (const type of complex) visit(definitions.shape(type));
    expect(types).toHaveLength(209);
    expect(seen.size).toBeGreaterThan(600);
  });

  it('give each element its inherited ones, in the order of the standard', () => {
    expect(
      definitions
        .shape('Observation')
        .elements.slice(0, 9)
        .map((e) => e.name),
    ).toEqual('id meta implicitRules language text contained extension modifierExtension identifier'.split(' '));
    expect(definitions.shape('Bundle.entry').forms.get('link')?.shape).toBe('Bundle.link');
    expect([...definitions.shape('Bundle.link').forms.keys()]).toEqual(['id', 'extension', 'modifierExtension', 'relation', 'url']);
    expect([...definitions.shape('Age').forms.keys()]).toContain('comparator');
    expect(definitions.shape('Age').invariants).toEqual(['qty-3', 'age-1']);
  });

  it('name only invariants that exist and compile', () => {
    const { fhirpath } = new Compiling();
    const keys = Object.keys(data('r4-invariants') as object);
    const broken = keys.filter((key) => !fhirpath(definitions.invariant(key).expression));
    expect(keys.length).toBeGreaterThan(200);
    expect(broken).toEqual([]);
    expect(() => definitions.invariant('xyz-1')).toThrow();
    expect(() => definitions.shape('Shoe')).toThrow();
  });

  it('the rules of IPS compile and hold for a summary', () => {
    const invariants = new Invariants(definitions);
    for (const { on, expression } of IPS_RULES) {
      const resource = on === 'Bundle' ? ipsDocument() : ipsDocument().entry?.find((e) => e.resource?.resourceType === on)?.resource;
      if (resource !== undefined) expect([expression, invariants.holds(expression, resource)]).toEqual([expression, true]);
    }
  });
});

class Compiling {
  private readonly engine = createRequire(import.meta.url)('fhirpath') as typeof import('fhirpath');
  readonly fhirpath = (expression: string): boolean => {
    this.engine.parse(expression);
    return true;
  };
}

describe('the definitions of R4 against those of FHIR.js, made by others', () => {
  interface Property {
    readonly _name: string;
    readonly _type: string;
    readonly _multiple: boolean;
    readonly _required?: boolean;
    readonly _properties?: readonly Property[];
  }
  const peer = createRequire(import.meta.url)('fhir/profiles/types.json') as Record<
    string,
    { readonly _kind: string; readonly _properties: readonly Property[] }
  >;
  const inherited = new Set(['id', 'extension', 'modifierExtension']);
  const line = (path: string, list: boolean, required: boolean, type: string): string =>
    `${path} ${required ? '1' : '0'}..${list ? '*' : '1'} ${type.startsWith('#') ? 'BackboneElement' : type}`;

  /** One line an element: path, cardinality, type. */
  const ours = (shape: Shape, path: string): string[] =>
    shape.elements.flatMap(({ name, min, max, forms }) =>
      forms.flatMap((form) => {
        if (inherited.has(name)) return [];
        const at = `${path}.${form.name}`;
        const inner = form.shape === at ? ours(definitions.shape(at), at) : [];
        return [line(at, max > 1, min > 0, form.type), ...inner];
      }),
    );
  const theirs = (properties: readonly Property[], path: string): string[] =>
    properties.flatMap(({ _name, _multiple, _required, _type, _properties }) => {
      if (_name.startsWith('_') || inherited.has(_name)) return [];
      const at = `${path}.${_name}`;
      const inner = _type === 'BackboneElement' || _type === 'Element' ? theirs(_properties ?? [], at) : [];
      return [line(at, _multiple, _required ?? false, _type), ...inner];
    });

  it('both say the same of every element, but for what FHIR.js is known to lack', () => {
    const compared = Object.keys(peer).filter((type) => types.includes(type) && peer[type]?._kind !== 'primitive-type');
    const lines = compared.map((type) => ({
      ours: new Set(ours(definitions.shape(type), type)),
      theirs: new Set(theirs(peer[type]?._properties ?? [], type)),
    }));
    expect(lines.flatMap((one) => [...one.ours]).length).toBeGreaterThan(6000);
    expect(lines.flatMap((one) => [...one.ours].filter((l) => !one.theirs.has(l))).sort()).toEqual([
      'ClaimResponse.adjudication 0..* BackboneElement',
      'ExplanationOfBenefit.adjudication 0..* BackboneElement',
      'Extension.url 1..1 uri',
      'Invoice.totalPriceComponent 0..* BackboneElement',
      'SubstanceSpecification.molecularWeight 0..* BackboneElement',
    ]);
    expect(lines.flatMap((one) => [...one.theirs].filter((l) => !one.ours.has(l)))).toEqual(['Extension.url 1..1 string']);
  });
});

describe('the search parameters of libs/domain against those of the standard', () => {
  type Official = Readonly<Record<string, Readonly<Record<string, { type: string; expression: string }>>>>;
  const official = data('r4-search-parameters') as Official;
  const leftOut = new Set(['Patient.phonetic', 'Organization.phonetic', 'Practitioner.phonetic', 'Bundle.composition', 'Bundle.message']);
  const rows = SEARCHABLE_TYPES.flatMap((type) =>
    Object.entries<SearchParameter>(SEARCH_PARAMETERS[type]).map(([code, parameter]) => ({ type, code, parameter })),
  );

  it.each(SEARCHABLE_TYPES)('%s has the same names and kinds', (type) => {
    const known = Object.entries(official[type] ?? {}).filter(([code]) => !leftOut.has(`${type}.${code}`));
    const ours = Object.entries<SearchParameter>(SEARCH_PARAMETERS[type]).map(([code, { kind }]) => [code, kind]);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(known.map(([code, { type: kind }]) => [code, kind])));
  });

  it('every path leads to an element of the type', () => {
    const lost = rows.flatMap(({ type, parameter }) =>
      parameter.paths.filter((path) => {
        let at: string | undefined = type;
        const steps = path.replace(/\[.*?\]/g, '').split('.');
        return !steps.every((step, i) => {
          const form = at === undefined ? undefined : definitions.shape(at).forms.get(step);
          at = form?.shape;
          return form !== undefined && (i === steps.length - 1 || at !== undefined);
        });
      }),
    );
    expect(rows.length).toBeGreaterThan(280);
    expect(lost).toEqual([]);
  });

  it('rows are made exactly where the standard’s expression finds something', () => {
    const invariants = new Invariants(definitions);
    const resources = (ipsDocument().entry ?? []).flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
    const compared = resources.flatMap((resource) => {
      const values = searchValues(JSON.parse(JSON.stringify(resource)) as FhirObject);
      const expressions = Object.entries(official[resource.resourceType] ?? {}).filter(
        ([code, { expression }]) =>
          !expression.includes('resolve()') && !leftOut.has(`${resource.resourceType}.${code}`) && code !== 'deceased',
      );
      return expressions.map(([code, { expression }]) => ({
        code: `${resource.resourceType}.${code}`,
        ours: values.some((value) => value.param === code),
        theirs: invariants.holds(`(${expression}).exists()`, resource),
      }));
    });
    // A reference to a contained resource is in the expression and is nowhere to be found by search.
    const differing = compared.filter(({ code, ours, theirs }) => ours !== theirs && code !== 'MedicationStatement.medication');
    expect(compared.filter(({ theirs }) => theirs).length).toBeGreaterThan(60);
    expect(differing).toEqual([]);
  });
});
