import { searchInMemory, type EdgeTx, type SearchClause, type SearchQuery, type SearchValue, type SortKey } from '@portolan/domain';
import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOptions } from '../../connect/address.js';
import type { RoleDatabase } from '../../connect/role-database.js';
import type { CountryDatabase } from '../../provision/provision.js';
import { AesDataKeys } from '../../test-support/aes-data-keys.js';
import { uuid } from '../../test-support/scratch.js';
import { testCluster } from '../../test-support/test-cluster.js';
import { openEdgeDatabase } from '../open-edge-database.js';
import { pageSql } from './search-ids.js';

const seed = 20261121;
const days = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z', '2026-02-01T00:00:00.000Z'];
const texts = ['mari', 'mari liis', 'mar%', 'mar_', 'ana', 'õ', `${'long '.repeat(60)}a`, `${'long '.repeat(60)}b`];
const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const or = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const system = or(oneOf('urn:a', 'urn:b'));
const code = oneOf('x', 'y', 'z', ...texts);
const number = oneOf(-1, 0, 0.5, 1, 2.5, 100);
const range = fc.tuple(oneOf(...days), oneOf(...days)).map((pair) => [...pair].sort() as [string, string]);

const value: fc.Arbitrary<SearchValue> = fc.oneof(
  fc.record({ kind: fc.constant('token' as const), param: fc.constant('code'), system, code }),
  range.chain(([start, end]) =>
    fc.record({ kind: fc.constant('date' as const), param: fc.constant('date'), start: or(fc.constant(start)), end: or(fc.constant(end)) }),
  ),
  oneOf(...texts).map((text) => ({ kind: 'string' as const, param: 'name', text: text.toUpperCase(), normal: text })),
  fc.record({
    kind: fc.constant('reference' as const),
    param: fc.constant('subject'),
    type: or(oneOf('Patient', 'Group')),
    id: or(oneOf('p1', 'p2')),
    url: or(oneOf('urn:uuid:1', 'https://example.org/1')),
    system,
    code: or(code),
  }),
  fc.tuple(number, number).chain((ends) => {
    const [low, high] = [Math.min(...ends), Math.max(...ends)];
    return fc.record({
      kind: oneOf('quantity' as const, 'number' as const),
      param: fc.constant('value'),
      low: or(fc.constant(low)),
      high: or(fc.constant(high)),
      system,
      code: or(oneOf('mg', 'g')),
      unit: or(oneOf('mg', 'Gramm')),
    });
  }),
  oneOf('urn:1', 'urn:2').map((uri) => ({ kind: 'uri' as const, param: 'source', uri })),
);

const prefix = oneOf(
  'eq' as const,
  'ne' as const,
  'lt' as const,
  'le' as const,
  'gt' as const,
  'ge' as const,
  'sa' as const,
  'eb' as const,
);
const token = fc.record({ system: fc.option(oneOf('urn:a', 'urn:b', undefined)), code: or(code) });
const some = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 1, maxLength: 3 });
const params = ['code', 'date', 'name', 'subject', 'value', 'source', 'nothing'];

const clause: fc.Arbitrary<SearchClause> = fc.oneof(
  fc.record({ kind: fc.constant('missing' as const), param: oneOf(...params), missing: fc.boolean() }),
  fc.record({ kind: fc.constant('token' as const), param: fc.constant('code'), not: fc.boolean(), any: some(token) }),
  fc.record({
    kind: fc.constant('date' as const),
    param: fc.constant('date'),
    any: some(fc.tuple(prefix, range).map(([p, [start, end]]) => ({ prefix: p, start, end }))),
  }),
  fc.record({
    kind: fc.constant('string' as const),
    param: fc.constant('name'),
    mode: oneOf('starts' as const, 'exact' as const, 'contains' as const),
    any: some(oneOf(...texts, 'ar', 'MARI', 'long ', '%', '_', '')),
  }),
  fc.record({
    kind: fc.constant('reference' as const),
    param: fc.constant('subject'),
    any: some(
      fc.oneof(
        fc.record({ by: fc.constant('id' as const), type: or(oneOf('Patient', 'Group')), id: oneOf('p1', 'p2', 'p3') }),
        oneOf('urn:uuid:1', 'https://example.org/2').map((url) => ({ by: 'url' as const, url })),
        token.map((identifier) => ({ by: 'identifier' as const, identifier })),
      ),
    ),
  }),
  fc.record({
    kind: oneOf('quantity' as const, 'number' as const),
    param: fc.constant('value'),
    any: some(
      fc.record({
        prefix,
        value: number,
        low: oneOf(-1.5, 0, 0.5),
        high: oneOf(1, 1.5, 3),
        unit: or(fc.record({ system, code: oneOf('mg', 'g', 'Gramm') })),
      }),
    ),
  }),
  fc.record({ kind: fc.constant('uri' as const), param: fc.constant('source'), any: some(oneOf('urn:1', 'urn:3')) }),
);

const kinds = { code: 'token', date: 'date', name: 'string', subject: 'reference', value: 'quantity', source: 'uri' } as const;
const sortKey: fc.Arbitrary<SortKey> = fc
  .record({ param: oneOf(...(Object.keys(kinds) as (keyof typeof kinds)[])), descending: fc.boolean() })
  .map((key) => ({
    ...key,
    kind: kinds[key.param],
  }));

const search = (over: Partial<SearchQuery>): SearchQuery => ({
  type: 'Observation',
  clauses: [],
  sort: [],
  count: 10,
  after: undefined,
  include: [],
  summary: 'false',
  elements: undefined,
  total: 'accurate',
  self: [],
  ignored: 0,
  ...over,
});

describe('search', () => {
  let fr: CountryDatabase;
  let db: RoleDatabase<EdgeTx>;

  beforeAll(async () => {
    fr = await (await testCluster()).country('FR');
    db = await openEdgeDatabase({ address: fr.edge, statementTimeoutMs: 30_000 }, new AesDataKeys());
  });
  afterAll(async () => {
    await db.close();
  });

  describe('agrees with the domain’s definition', () => {
    const resources = fc.sample(fc.array(value, { maxLength: 7 }), { seed, numRuns: 80 }).map((values, i) => ({ id: `r${i}`, values }));

    beforeAll(async () => {
      await db.uow.run(async (tx) => {
        const keyId = await tx.keys.create();
        const row = {
          type: 'Observation',
          keyId,
          lastUpdated: days[0]!,
          person: undefined,
          categories: [],
          messageId: undefined,
          sha256: 'x',
          deleted: false,
        };
        for (const { id, values } of resources) await tx.resources.put({ ...row, id, text: id }, values);
        // Neither a deleted one, nor another type's, nor values of an older version may be found.
        await tx.resources.put({ ...row, id: 'gone', text: '' }, resources[0]!.values);
        await tx.resources.put({ ...row, id: 'gone', deleted: true, text: '' }, resources[0]!.values);
        await tx.resources.put({ ...row, type: 'Condition', id: 'r0', text: '' }, resources[1]!.values);
        const known: SearchValue = { kind: 'token', param: 'code', system: undefined, code: 'x' };
        await tx.resources.put({ ...row, id: 'r0', sha256: 'old', text: 'old' }, [known]);
        await tx.resources.put({ ...row, id: 'r0', text: 'r0' }, resources[0]!.values);
      });
    });

    it('in what fits, in which order, page by page', async () => {
      const queries = fc.record({
        clauses: fc.array(clause, { maxLength: 3 }),
        sort: fc.array(sortKey, { maxLength: 3 }),
        count: oneOf(1, 3, 10, 100),
      });
      await fc.assert(
        fc.asyncProperty(queries, oneOf(...resources, undefined), async (asked, anchor) => {
          const query = search({ ...asked, after: anchor?.id });
          const wanted = searchInMemory(query, resources);
          const found = await db.uow.run((tx) => tx.resources.search(query));
          expect(found.resources.map(({ text }) => text)).toEqual(wanted.matches.map(({ id }) => id));
          expect([found.next, found.total]).toEqual([wanted.next, wanted.total]);
        }),
        { seed, numRuns: 400 },
      );
    });

    it('in counting alone, and in not counting', async () => {
      const found = await db.uow.run((tx) => tx.resources.search(search({ count: 0 })));
      expect(found).toEqual({ resources: [], next: undefined, total: resources.length });
      expect((await db.uow.run((tx) => tx.resources.search(search({ total: 'none' })))).total).toBeUndefined();
      expect((await db.uow.run((tx) => tx.resources.search(search({ after: 'gone' })))).resources).toEqual([]);
    });
  });

  describe('on 60,000 resources', () => {
    beforeAll(async () => {
      const client = new Client(clientOptions(fr.owner));
      await client.connect();
      await client.query(`
        INSERT INTO edge.resource (type, id, version_id, last_updated, categories, sha256, deleted)
        SELECT 'Procedure', 'n' || i, 1, now(), '{}', 'x', false FROM generate_series(1, 60000) i`);
      await client.query(`
        INSERT INTO edge.search_value (type, resource_id, kind, param, system, code, start_at, end_at, normal, ref_type, ref_id, low, high)
        SELECT 'Procedure', 'n' || i, v.* FROM generate_series(1, 60000) i, LATERAL (VALUES
          ('reference', 'subject', NULL, NULL, NULL::timestamptz, NULL::timestamptz, NULL, 'Patient', 'p' || i % 6000, NULL::float8, NULL::float8),
          ('token', 'code', 'urn:c', 'c' || i % 3000, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
          ('date', 'date', NULL, NULL, '2020-01-01'::timestamptz + i * interval '1 hour', '2020-01-01'::timestamptz + (i + 1) * interval '1 hour', NULL, NULL, NULL, NULL, NULL),
          ('string', 'name', NULL, NULL, NULL, NULL, 'name ' || i, NULL, NULL, NULL, NULL),
          ('quantity', 'value', NULL, NULL, NULL, NULL, NULL, NULL, NULL, i, i)) v`);
      await client.query('ANALYZE edge.resource, edge.search_value');
      await client.end();
    });

    const shapes: [name: string, index: string, clauses: SearchClause[]][] = [
      ['a patient’s', 'search_value_reference', [{ kind: 'reference', param: 'subject', any: [{ by: 'id', type: 'Patient', id: 'p77' }] }]],
      ['a code', 'search_value_token', [{ kind: 'token', param: 'code', not: false, any: [{ system: 'urn:c', code: 'c5' }] }]],
      [
        'one of two codes, system open',
        'search_value_token',
        [
          {
            kind: 'token',
            param: 'code',
            not: false,
            any: [
              { system: undefined, code: 'c5' },
              { system: undefined, code: 'c6' },
            ],
          },
        ],
      ],
      [
        'a patient’s with a code since a day',
        'search_value_(reference|resource)',
        [
          { kind: 'reference', param: 'subject', any: [{ by: 'id', type: undefined, id: 'p77' }] },
          { kind: 'token', param: 'code', not: false, any: [{ system: undefined, code: 'c77' }] },
          { kind: 'date', param: 'date', any: [{ prefix: 'ge', start: '2020-02-01T00:00:00.000Z', end: '2020-02-02T00:00:00.000Z' }] },
        ],
      ],
      [
        'a day',
        'search_value_date',
        [{ kind: 'date', param: 'date', any: [{ prefix: 'eq', start: '2021-02-01T00:00:00.000Z', end: '2021-02-02T00:00:00.000Z' }] }],
      ],
      ['a name’s beginning', 'search_value_string', [{ kind: 'string', param: 'name', mode: 'starts', any: ['name 5999'] }]],
      [
        'a quantity',
        'search_value_quantity',
        [{ kind: 'quantity', param: 'value', any: [{ prefix: 'eq', value: 7, low: 6.5, high: 7.5, unit: undefined }] }],
      ],
    ];

    it.each(shapes)('finds %s by its index', async (_, index, clauses) => {
      const query = search({ type: 'Procedure', clauses, sort: [{ param: 'date', kind: 'date', descending: true }] });
      const { text, values } = pageSql(query);
      const client = new Client({ ...clientOptions(fr.edge), options: '-c search_path=edge' });
      await client.connect();
      const { rows } = await client.query<Record<string, string>>(`EXPLAIN ${text}`, [...values]);
      await client.end();
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toMatch(new RegExp(`(using|on) ${index}`));
      expect(plan).not.toContain('Seq Scan');
      const started = performance.now();
      const found = await db.uow.run((tx) => tx.resources.search(query));
      expect(found.total).toBeGreaterThan(0);
      expect(performance.now() - started).toBeLessThan(1_000);
    });
  });

  it('takes U+0000, which no text column holds', async () => {
    const any = [{ system: undefined, code: 'a\0b' }];
    const found = await db.uow.run(async (tx) => {
      const row = {
        type: 'Immunization',
        id: uuid(),
        lastUpdated: days[0]!,
        person: undefined,
        categories: [],
        messageId: undefined,
        sha256: 'x',
        deleted: false,
      };
      await tx.resources.put({ ...row, keyId: await tx.keys.create(), text: 'nul \0' }, [
        { kind: 'token', param: 'status', system: undefined, code: 'a\0b' },
      ]);
      return tx.resources.search(search({ type: 'Immunization', clauses: [{ kind: 'token', param: 'status', not: false, any }] }));
    });
    expect(found.resources[0]!.text).toBe('nul \0');
  });

  it('takes texts that no index entry could hold', async () => {
    const wide = String.fromCodePoint(...Array.from({ length: 1000 }, (_, i) => 0x20000 + ((i * 7919) % 40000)));
    const values: SearchValue[] = [
      { kind: 'token', param: 'code', system: wide, code: wide },
      { kind: 'string', param: 'name', text: wide, normal: wide },
      { kind: 'uri', param: 'source', uri: wide },
      { kind: 'reference', param: 'subject', type: undefined, id: undefined, url: wide, system: wide, code: wide },
    ];
    const found = await db.uow.run(async (tx) => {
      const row = {
        type: 'Immunization',
        id: uuid(),
        lastUpdated: days[0]!,
        person: undefined,
        categories: [],
        messageId: undefined,
        sha256: 'x',
        deleted: false,
      };
      await tx.resources.put({ ...row, keyId: await tx.keys.create(), text: 'wide' }, values);
      const any = [{ system: wide, code: wide }];
      return tx.resources.search(search({ type: 'Immunization', clauses: [{ kind: 'token', param: 'code', not: false, any }] }));
    });
    expect(found.total).toBe(1);
  });
});
