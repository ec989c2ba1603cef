import { Client } from 'pg';
import { clientOptions, type DatabaseAddress } from '../connect/address.js';
import type { Statement } from '../connect/pipeline.js';

/** What the database did for one statement. */
export interface Plan {
  /** Tables that were read from one end to the other. */
  readonly scanned: readonly string[];
  /** Rows that were looked at in tables and indexes, those that did not fit included. */
  readonly looked: number;
  /** Pages of 8 KB that were touched. */
  readonly pages: number;
  /** Milliseconds in the database. */
  readonly ms: number;
}

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Node[];
}

/** Runs statements under EXPLAIN ANALYZE in a transaction that is undone, as a superuser who sees the tables as the schema's role does. */
export async function explain(admin: DatabaseAddress, schema: string, statements: readonly Statement[]): Promise<readonly Plan[]> {
  const client = new Client(clientOptions(admin));
  await client.connect();
  try {
    await client.query(`SET search_path = ${schema}`);
    const plans: Plan[] = [];
    for (const { text, values } of statements) {
      await client.query('BEGIN');
      const { rows } = await client.query<{ 'QUERY PLAN': readonly [{ Plan: Node; 'Execution Time': number }] }>(
        `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${text}`,
        [...values],
      );
      await client.query('ROLLBACK');
      const [explained] = rows;
      if (explained === undefined) throw new Error('no plan');
      const [{ Plan: root, 'Execution Time': ms }] = explained['QUERY PLAN'];
      const nodes = nodesOf(root);
      const scans = nodes.filter((node) => node['Node Type'].includes('Scan') && !/CTE|Subquery|Function/.test(node['Node Type']));
      plans.push({
        scanned: scans.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name'] ?? ''),
        looked: scans.map(lookedAt).reduce((sum, rowsOf) => sum + rowsOf, 0),
        pages: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
        ms,
      });
    }
    return plans;
  } finally {
    await client.end();
  }
}

const nodesOf = (node: Node): readonly Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

const lookedAt = (node: Node): number =>
  (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) * node['Actual Loops'];
