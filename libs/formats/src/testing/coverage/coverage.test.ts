import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SourceNode } from '../../engine/index.js';
import { allRows, countryOfTables, dependsOnRules, idleExceptions, reportOf, sample, served, specimenOf } from './index.js';
import { holds } from './row-condition.js';
import { hopsOf, idleCorrections } from './rows.js';
import counts from './served.json' with { type: 'json' };

const fixtures = join(import.meta.dirname, '../../../fixtures/hl7v2');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const country = countryOfTables();
const set = country.sets.get('hl7v2')!;
const specimens = readdirSync(fixtures)
  .filter((name) => name.endsWith('.hl7'))
  .map((name) => specimenOf(name, readFileSync(join(fixtures, name)), country, sha256));
const found = served(set, specimens);

describe('The rows of HL7’s v2-to-FHIR tables', () => {
  it('are served by our rules over our own messages, as many of each table as were counted', () => {
    const now = Object.fromEntries(reportOf(found).tables.map(({ table, served: count }) => [table, count]));
    const fewer = Object.entries<number>(counts).filter(([table, count]) => (now[table] ?? 0) < count);
    expect(fewer, 'fewer than served.json says; npm run coverage:maps names them').toEqual([]);
  });

  const seed = Date.now() % 1_000_000;
  it(`are served no more without their rules: fifty at random, seed ${seed}`, () => {
    const chosen = sample([...found.values()], 50, seed);
    expect(chosen).toHaveLength(50);
    expect(chosen.filter((one) => !dependsOnRules(one, set, 2)).map(({ row }) => row.key)).toEqual([]);
  });

  it('that are left out on purpose are rows, and are not served', () => {
    expect(idleExceptions(allRows, ({ key }) => found.has(key))).toEqual([]);
  });

  it('that are read otherwise than they are written are rows', () => {
    expect(idleCorrections()).toEqual([]);
  });

  it('are told apart by their keys', () => {
    expect(new Set(allRows.map(({ key }) => key)).size).toBe(allRows.length);
  });
});

describe('A FHIR attribute of the tables', () => {
  it.each([
    ['name[1].given[2]', [['Patient', 'name.given']]],
    [
      'participant[1].individual(PractitionerRole.practitioner(Practitioner))',
      [
        ['Patient', 'participant.individual'],
        ['PractitionerRole', 'practitioner'],
        ['Practitioner', ''],
      ],
    ],
    ['extension[2].uri', [['Patient', 'extension.url']]],
    ['$this', [['Patient', '']]],
  ])('%s leads to %j', (target, hops) => {
    expect(hopsOf(target, 'Patient').map(({ type, path }) => [type, path])).toEqual(hops);
  });
});

describe('A condition of the tables', () => {
  const node = SourceNode.leaf('3', 'XTN-3', 'Internet');
  const lookup = (name: string): SourceNode[] => (name === 'XTN.3' ? [node] : []);
  it.each([
    ['', true],
    ['IF XTN.3 IN ("Internet", "X.400")', true],
    ['IF XTN.3 NOT IN ("Internet", "X.400")', false],
    ['IF XTN.3 NOT VALUED AND XTN.4 VALUED', false],
    ['IF XTN.3 EQUALS "PH"', false],
    ['IF XTN.3 VALUED AND XTN.4 NOT VALUED', true],
    ['If person level VIP', undefined],
  ])('%s: %s', (condition, answer) => {
    expect(holds(condition, lookup)).toBe(answer);
  });
});
