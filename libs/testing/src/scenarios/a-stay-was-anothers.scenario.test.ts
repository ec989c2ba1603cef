import { beforeAll, describe, expect, it } from 'vitest';
import { entriesOf } from '../story/fhir-asks.js';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained } from './abroad.js';
import { rows } from './backstage.js';
import { filed, Herself, messagesAbout, somebody, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

const ASKED = ['laboratory', 'summary'];
const HOSPITAL = 'NAIDIS-HIS|EE-NAIDISHAIGLA^urn:portolan:demo:ee:naidishaigla^URI';

const numberOf = ({ identifier }: Newcomer): string => `${identifier.value}^^^EE-PIN^NI`;

/** A message of the hospital about this person, made at this hour. */
const message = (type: string, id: string, at: string, person: Newcomer, also: readonly string[]): Uint8Array =>
  Buffer.from(
    [
      `MSH|^~\\&|${HOSPITAL}|PORTOLAN|EE|${at}+0200||${type}|EE-${id}-${person.mark}|P|2.5.1||||||UNICODE UTF-8`,
      `EVN||${at}+0200`,
      `PID|1||${numberOf(person)}||${person.family}^${person.given}^^^^^L||${person.birthDate.replaceAll('-', '')}|F`,
      ...also,
      '',
    ].join('\r'),
  );

describe('a hospital finds that a stay was written under the wrong person', () => {
  let world: SharedWorld;
  let wrong: Newcomer;
  let right: Newcomer;
  let asker: Asker;
  let before: Obtained;
  let hers: Obtained;
  let results: string;
  let restriction: string;

  const stateOf = async ({ transfer }: Obtained): Promise<string | undefined> =>
    (await rows<{ state: string }>(world, 'PT', 'SELECT state FROM edge.view WHERE transfer_id = $1', [transfer]))[0]?.state;
  const shown = async (type: string, { handle }: Obtained): Promise<number> =>
    entriesOf(await asker.at(`/fhir/${type}?patient=Patient/${handle}`)).filter(({ resourceType }) => resourceType === type).length;

  beforeAll(async () => {
    world = await sharedWorld();
    [wrong, right] = [somebody('EE'), somebody('EE')];
    const [admission, measured] = await messagesAbout(wrong);
    // The hospital passes on what its laboratory found.
    results = Buffer.from(measured ?? new Uint8Array())
      .toString()
      .replace('NAIDIS-LIS|EE-NAIDISLABOR^urn:portolan:demo:ee:naidislabor^URI', HOSPITAL);
    await filed(world.at('EE'), admission ?? new Uint8Array());
    await filed(world.at('EE'), Buffer.from(results));
    const allergy = 'AL1|1|DA^Ravimiallergia^HL70127|PENI^Penitsilliin^99EEALL|SV|lööve|20100315';
    await filed(world.at('EE'), message('ADT^A31^ADT_A05', 'A31', '20261103081500', right, ['PV1|1|N', allergy]));
    asker = new Asker(world, 'PT', 'EE');
    await new Herself(world, wrong).permits(['PT'], ASKED);
    before = await asker.obtain(wrong, ASKED);
    expect(await shown('Observation', before)).toBeGreaterThan(3);
    // She allows her summary to be asked for, and nothing that a laboratory found.
    const herself = new Herself(world, right);
    await herself.permits(['PT'], ASKED);
    restriction = await herself.forbids('restriction', { categories: ['laboratory'] });
    hers = await asker.obtain(right, ASKED);
    expect([await shown('AllergyIntolerance', hers), await shown('Observation', hers)]).toEqual([1, 0]);
  });

  it('says so to both, and to who was shown it as the wrong one’s', async () => {
    const number = `V-2026-0001-${wrong.mark}^^^EE-NAIDISHAIGLA-VISIT^VN`;
    const stay = [`MRG|${numberOf(wrong)}||||${number}`, `PV1|1|I|||||||||||||||||${number}`];
    await filed(world.at('EE'), message('ADT^A45^ADT_A45', 'A45', '20261104081500', right, stay));
    for (const person of [wrong, right]) await new Herself(world, person).hears('the stay was moved', ({ act }) => act === 'stay-moved');
    await eventually('what was shown abroad is marked', async () => (await stateOf(before)) === 'amended');
    expect(await stateOf(hers)).toBe('open');
    const gone = await rows<{ n: number }>(
      world,
      'EE',
      'SELECT count(*)::int AS n FROM edge.resource WHERE deleted AND person IN (SELECT person FROM edge.person_identifier WHERE value = $1)',
      [wrong.identifier.value],
    );
    expect(gone[0]?.n).toBeGreaterThan(4);
  });

  it('lets nothing of it cross as the wrong one’s any more, and what is her own still does', async () => {
    const after = await asker.obtain(wrong, ASKED);
    expect([await shown('AllergyIntolerance', after), await shown('Observation', after)]).toEqual([1, 0]);
    expect((await new Herself(world, wrong).call('/person/record/export')).text).not.toContain('HBA1C');
  });

  it('is in the right one’s record, and crosses no border that she closed', async () => {
    expect((await new Herself(world, right).call('/person/record/export')).text).toContain('HBA1C');
    const after = await asker.obtain(right, ASKED);
    expect([await shown('AllergyIntolerance', after), await shown('Observation', after)]).toEqual([1, 0]);
    expect((await new Herself(world, right).call(`/person/restrictions/${restriction}/lift`, {})).status).toBe(202);
    await eventually('what she opened again crosses', async () => (await shown('Observation', await asker.obtain(right, ASKED))) > 3);
  });

  it('is not written back by what the laboratory still sends under the wrong one', async () => {
    const late = results.replaceAll('20261103120000', '20261105120000').replace(`EE-ORU-0001-${wrong.mark}`, `EE-ORU-0009-${wrong.mark}`);
    await expect(filed(world.at('EE'), Buffer.from(late))).rejects.toThrow('ingest.stay-moved');
    expect((await new Herself(world, wrong).call('/person/record/export')).text).not.toContain('HBA1C');
  });
});
