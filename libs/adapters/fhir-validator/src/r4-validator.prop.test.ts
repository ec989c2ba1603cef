import { isRefused } from '@portolan/domain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { R4Definitions, type Element, type Shape } from './r4-definitions.js';
import { R4Validator } from './r4-validator.adapter.js';
import { ipsDocument } from './test/ips-document.fixture.js';

/* eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON that is broken on purpose */
type Node = any;
const definitions = new R4Definitions();
const validator = new R4Validator(definitions);

/** A place of a valid resource, and what R4 says of it. */
interface Site {
  readonly steps: readonly (string | number)[];
  readonly shape: Shape;
  readonly element: Element;
  readonly type: string;
  readonly primitive: boolean;
}

/** All members of a resource that the definitions describe. */
function sitesOf(node: Node, shape: Shape, steps: readonly (string | number)[]): Site[] {
  return shape.elements.flatMap((element) =>
    element.forms.flatMap((form): Site[] => {
      const value = node[form.name];
      if (value === undefined) return [];
      const here = [...steps, form.name];
      const site: Site = { steps: here, shape, element, type: form.type, primitive: form.primitive };
      const items: [Node, (string | number)[]][] = Array.isArray(value) ? value.map((one, i) => [one, [...here, i]]) : [[value, here]];
      const inner = form.shape === undefined ? [] : items.flatMap(([one, at]) => sitesOf(one, definitions.shape(form.shape ?? ''), at));
      return [site, ...inner];
    }),
  );
}

const resources = (ipsDocument().entry ?? []).flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
const sites = resources.flatMap((resource) =>
  sitesOf(resource, definitions.shape(resource.resourceType), []).map((site) => ({ resource, site })),
);

/** A copy of the resource, with the member at the site changed by `change`. */
function altered(resource: Node, { steps }: Site, change: (parent: Node, name: string | number) => void): Node {
  const copy = structuredClone(resource);
  const parent = steps.slice(0, -1).reduce<Node>((at, step) => at[step], copy);
  change(parent, steps.at(-1) ?? '');
  return copy;
}

const anySite = (fits: (site: Site) => boolean): fc.Arbitrary<{ resource: Node; site: Site }> =>
  fc.constantFrom(...sites.filter(({ site }) => fits(site)));
const refuses = (
  fits: (site: Site) => boolean,
  change: (parent: Node, name: string | number, wild: unknown) => void,
  wild: fc.Arbitrary<unknown>,
): void => {
  fc.assert(
    fc.property(anySite(fits), wild, ({ resource, site }, value) => {
      expect(isRefused(validator.validate(altered(resource, site, (parent, name) => change(parent, name, value))))).toBe(true);
    }),
    { numRuns: 300 },
  );
};
const nothing = fc.constant(undefined);

describe('a valid resource with one thing changed is refused', () => {
  it('begins valid, with enough places to change', () => {
    expect(resources.every((resource) => !isRefused(validator.validate(resource)))).toBe(true);
    expect(sites.length).toBeGreaterThan(200);
  });

  it('a required element taken away', () => {
    refuses(
      ({ element }) => element.min > 0,
      (parent, name) => Reflect.deleteProperty(parent, name),
      nothing,
    );
  });

  it('an element that R4 does not know, anywhere', () => {
    const name = fc.stringMatching(/^[a-z]{3,12}Xyz$/);
    refuses(
      () => true,
      (parent, _name, unknown) => (parent[unknown as string] = 'x'),
      name,
    );
  });

  it('a primitive value of another JSON type', () => {
    const wrong = fc.oneof(fc.constant({}), fc.constant([]), fc.constant({ a: 1 }), fc.constant(null));
    refuses(
      ({ primitive, element }) => primitive && element.max === 1,
      (parent, name, value) => (parent[name] = value),
      wrong,
    );
  });

  it('a number or boolean for a text, a text for a number or boolean', () => {
    const isText = (type: string): boolean => !['boolean', 'decimal', 'integer', 'positiveInt', 'unsignedInt'].includes(type);
    refuses(
      ({ primitive, element }) => primitive && element.max === 1,
      (parent, name) => (parent[name] = typeof parent[name] === 'string' ? 7 : 'seven'),
      nothing,
    );
    expect(sites.some(({ site }) => site.primitive && !isText(site.type))).toBe(true);
  });

  it('a list for a single value, a single value for a list', () => {
    refuses(
      () => true,
      (parent, name) => (parent[name] = Array.isArray(parent[name]) ? parent[name][0] : [parent[name]]),
      nothing,
    );
  });

  it('a code that its required set does not hold', () => {
    const code = fc.stringMatching(/^[a-z]{1,10}-xyz$/);
    refuses(
      ({ element, type }) => element.valueSet !== undefined && type === 'code' && element.max === 1,
      (parent, name, value) => (parent[name] = value),
      code,
    );
  });

  it('a text without characters', () => {
    refuses(
      ({ primitive, element }) => primitive && element.max === 1,
      (parent, name) => (parent[name] = ''),
      nothing,
    );
  });
});

describe('whatever comes in', () => {
  it('is judged without throwing', () => {
    const wild = fc.oneof(fc.anything({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(wild, fc.constantFrom('Patient', 'Bundle', 'Observation', 'Composition'), (value, resourceType) => {
        const body = typeof value === 'object' && value !== null ? value : { value };
        validator.validate(value);
        expect(Array.isArray(validator.validate({ ...body, resourceType, extension: value, entry: [value], name: [value] }))).toBe(true);
      }),
    );
  });
});
