import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../story/wait.js';
import { erika } from '../world/demo-people.js';
import { repository } from '../world/repository.js';
import { BodiesAtRest, type DataKeyRow } from '../checker/bodies-at-rest.js';
import { Asker, type Obtained } from './abroad.js';
import { foldersOf, rows } from './backstage.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

const document = join(repository, 'libs/formats/fixtures/cda/de-erika-beispiel-summary.xml');

describe('a hospital keeps its records, and is asked when one of them is to cross', () => {
  let world: SharedWorld;
  beforeAll(async () => {
    world = await sharedWorld();
    const de = world.at('DE');
    const body = new Uint8Array(await readFile(document));
    expect((await de.call('/ingest', { token: await de.systemToken(), body, type: 'application/xml' })).status).toBe(200);
  });

  const stored = async (): Promise<number> => {
    const [row] = await rows<{ count: string }>(world, 'DE', `SELECT count(*) FROM edge.resource WHERE type = 'Observation'`);
    return Number(row?.count);
  };

  let obtained: Obtained;

  it('brings its results abroad with every digit, beside what the node stores', async () => {
    const before = await stored();
    const asker = new Asker(world, 'BE', 'DE');
    obtained = await asker.obtain(erika, ['summary', 'laboratory']);
    const { text } = await asker.at(`/fhir/Observation?patient=Patient/${obtained.handle}&category=laboratory`);
    expect(text).toMatch(/"value":1\.30\b/);
    expect(text).toMatch(/"value":4\.10\b/);
    expect(text).not.toContain('kh-4711');
    // The node keeps nothing of it: no resource, and no content once the transfer is closed.
    await eventually('the transfer is closed', async () => {
      const [row] = await rows<{ state: string }>(world, 'DE', `SELECT state FROM exchange.transfer WHERE transfer_id = $1`, [
        obtained.transfer,
      ]);
      return row?.state === 'closed';
    });
    expect(await stored()).toBe(before);
  });

  it('is named in the audit event of the release, with the hash of its answer', async () => {
    const keys = await rows<DataKeyRow>(world, 'DE', `SELECT id, wrapped FROM exchange.data_key`);
    const disk = await BodiesAtRest.open(foldersOf(world, 'DE').master('exchange'), keys);
    const sql = `SELECT id, key_id, body FROM exchange.audit_event WHERE type = 'record-released' AND transfer_id = $1`;
    const [row] = await rows<{ id: string; key_id: string; body: Buffer }>(world, 'DE', sql, [obtained.transfer]);
    if (row === undefined) throw new Error('no event of the release');
    const opened = disk.read(row.key_id, row.body, `exchange.audit_event:${row.id}`);
    if (typeof opened === 'string') throw new Error(opened);
    const { entity } = JSON.parse(opened.text) as {
      entity: { what: { display?: string }; detail?: { type: string; valueString: string }[] }[];
    };
    const services = entity.filter(({ what }) => what.display === 'FHIR service records-de');
    expect(services.length).toBeGreaterThan(0);
    for (const { detail } of services) expect(detail?.find(({ type }) => type === 'sha256')?.valueString).toMatch(/^[0-9a-f]{64}$/);
  });
});
