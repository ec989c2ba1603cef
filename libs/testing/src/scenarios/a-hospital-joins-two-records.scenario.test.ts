import { beforeAll, describe, expect, it } from 'vitest';
import { entriesOf } from '../story/fhir-asks.js';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained } from './abroad.js';
import { rows } from './backstage.js';
import { filed, Herself, messagesAbout, somebody, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

const ASKED = ['laboratory', 'summary'];

/** What the hospital wrote about somebody whose name nobody knew, under a number of its own. */
function unnamed(message: Uint8Array, { mark, family, given, birthDate, identifier }: Newcomer): Uint8Array {
  const text = Buffer.from(message)
    .toString('utf8')
    .replace(`${identifier.value}^^^EE-PIN^NI~`, '')
    .replaceAll(`H-100001-${mark}`, `H-777-${mark}`)
    .replaceAll(`V-2026-0001-${mark}`, `V-777-${mark}`)
    .replace(`${family}^${given}`, 'Tundmatu^Naine')
    .replace(`|${birthDate.replaceAll('-', '')}|F`, '||F');
  return Buffer.from(text);
}

/** ADT^A40: whom the hospital took in as unknown is the person with this number. */
function joining({ mark, family, given, birthDate, identifier }: Newcomer): Uint8Array {
  return Buffer.from(
    [
      `MSH|^~\\&|NAIDIS-HIS|EE-NAIDISHAIGLA^urn:portolan:demo:ee:naidishaigla^URI|PORTOLAN|EE|20261104081500+0200||ADT^A40^ADT_A39|EE-A40-${mark}|P|2.5.1||||||UNICODE UTF-8`,
      'EVN|A40|20261104081500+0200',
      `PID|1||${identifier.value}^^^EE-PIN^NI~H-100001-${mark}^^^EE-NAIDISHAIGLA^MR||${family}^${given}^^^^^L||${birthDate.replaceAll('-', '')}|F`,
      `MRG|H-777-${mark}^^^EE-NAIDISHAIGLA^MR||||||Tundmatu^Naine`,
      '',
    ].join('\r'),
  );
}

describe('a hospital joins two records that it kept of one person', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let herself: Herself;
  let asker: Asker;
  let before: Obtained;
  let after: Obtained;

  const stateOf = async ({ transfer }: Obtained): Promise<string | undefined> => {
    const found = await rows<{ state: string }>(world, 'PT', 'SELECT state FROM edge.view WHERE transfer_id = $1', [transfer]);
    return found[0]?.state;
  };
  const allergies = async ({ handle }: Obtained): Promise<number> =>
    entriesOf(await asker.at(`/fhir/AllergyIntolerance?patient=Patient/${handle}`)).filter(
      ({ resourceType }) => resourceType === 'AllergyIntolerance',
    ).length;

  beforeAll(async () => {
    world = await sharedWorld();
    person = somebody('EE');
    const [admission, results] = await messagesAbout(person);
    if (admission === undefined || results === undefined) throw new Error('there are no messages about her');
    await filed(world.at('EE'), results);
    await filed(world.at('EE'), unnamed(admission, person));
    herself = new Herself(world, person);
    asker = new Asker(world, 'PT', 'EE');
    await herself.permits(['PT'], ASKED);
    before = await asker.obtain(person, ASKED);
    expect(await allergies(before)).toBe(0);
  });

  it('says so to her, and to who was shown the half', async () => {
    await filed(world.at('EE'), joining(person));
    await herself.hears('two records were joined', ({ act }) => act === 'person-joined');
    await eventually('what was shown abroad is marked', async () => (await stateOf(before)) === 'amended');
    await filed(world.at('EE'), Buffer.from(Buffer.from(joining(person)).toString().replace('EE-A40', 'EE-A40-again')));
    expect((await herself.feed()).filter(({ act }) => act === 'person-joined')).toHaveLength(1);
  });

  it('lets both cross as one from then on, on what she permitted', async () => {
    after = await asker.obtain(person, ASKED);
    expect(await allergies(after)).toBe(1);
    const summary = (await herself.call('/person/record/export')).text;
    expect(summary).toContain('Penitsilliin');
  });

  it('takes what is still sent under the old number for hers', async () => {
    const [admission] = await messagesAbout(person);
    const later = Buffer.from(unnamed(admission ?? new Uint8Array(), person))
      .toString()
      .replace(`EE-ADT-0001-${person.mark}`, `EE-ADT-0009-${person.mark}`)
      .replaceAll('20261102081500', '20261105081500')
      .replace('|SV|lööve|', '|SV|nõgeslööve|');
    await filed(world.at('EE'), Buffer.from(later));
    expect((await herself.call('/person/record/export')).text).toContain('nõgeslööve');
    await eventually('who was shown the older one is told', async () => (await stateOf(after)) === 'amended');
  });

  it('can be undone where it was wrong: nothing of the one is shown as the other’s any more', async () => {
    const token = await world.at('EE').login('operator');
    const [merge] = await rows<{ id: string }>(
      world,
      'EE',
      `SELECT m.id FROM edge.person_merge m JOIN edge.person_identifier i ON i.person = m.survivor WHERE i.value = $1`,
      [person.identifier.value],
    );
    const path = `/operator/merges/${merge?.id ?? ''}/undo`;
    const listed = (await world.at('EE').call('/operator/merges', { token })).json<{ merges: readonly { id: string; state: string }[] }>();
    expect(listed.merges).toContainEqual(expect.objectContaining({ id: merge?.id, state: 'stands' }));
    const reason = 'the unknown woman was somebody else';
    const answer = await world.at('EE').call(path, { token, body: JSON.stringify({ reason }) });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json()).toMatchObject({ id: merge?.id, state: 'undone' });
    expect((await world.at('EE').call(path, { token, body: JSON.stringify({ reason }) })).text).toContain('operator.merge-undone');
    await herself.hears('they were parted again', (line) => line.act === 'person-parted' && line.reason === reason);
    expect((await herself.call('/person/record/export')).text).not.toContain('Penitsilliin');
    for (const seen of [before, after])
      await eventually('what was shown abroad is destroyed', async () => (await stateOf(seen)) === 'destroyed');
    const anew = await asker.obtain(person, ASKED);
    expect(await allergies(anew)).toBe(0);
  });

  it('is erased whole, whichever number names her', async () => {
    const again = Buffer.from(joining(person)).toString().replace('EE-A40', 'EE-A40-anew').replaceAll('20261104', '20261106');
    await filed(world.at('EE'), Buffer.from(again));
    const keys = async (schema: 'edge' | 'exchange'): Promise<number> => {
      const sql = `SELECT 1 FROM ${schema}.data_key WHERE wrapped IS NOT NULL AND person = ANY ($1)`;
      return (await rows(world, 'EE', sql, [entries])).length;
    };
    const found = await rows<{ ids: string[] }>(
      world,
      'EE',
      'SELECT edge.same_person(i.person) AS ids FROM edge.person_identifier i WHERE i.value = $1',
      [person.identifier.value],
    );
    const entries = found[0]?.ids;
    expect(entries).toHaveLength(2);
    expect(await keys('edge')).toBeGreaterThan(1);
    const body = JSON.stringify({ identifier: person.identifier, reason: 'she asked for it' });
    const token = await world.at('EE').login('operator');
    const answer = await world.at('EE').call('/operator/persons/erase', { token, body });
    expect(answer.status, answer.text).toBe(200);
    expect(await keys('edge')).toBe(0);
    await eventually('the exchange has erased her, too', async () => (await keys('exchange')) === 0);
  });
});
