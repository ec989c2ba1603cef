import { beforeAll, describe, expect, it } from 'vitest';
import { entriesOf } from '../story/fhir-asks.js';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained } from './abroad.js';
import { rows } from './backstage.js';
import { filed, Herself, somebody, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

const ASKED = ['laboratory', 'summary'];
const HOSPITAL = 'NAIDIS-HIS|EE-NAIDISHAIGLA^urn:portolan:demo:ee:naidishaigla^URI';

const nationalOf = ({ identifier }: Newcomer): string => `${identifier.value}^^^EE-PIN^NI`;
const demographics = ({ family, given, birthDate }: Newcomer): string => `${family}^${given}^^^^^L||${birthDate.replaceAll('-', '')}|F`;

describe('a hospital finds that a number was joined to the wrong person', () => {
  let world: SharedWorld;
  let wrong: Newcomer;
  let right: Newcomer;
  let asker: Asker;
  let before: Obtained;
  let hers: Obtained;
  let restriction: string;
  /** The number under which the hospital kept somebody whose name it did not know. */
  let number: string;

  const message = (type: string, id: string, at: string, pid: string, also: readonly string[]): Uint8Array =>
    Buffer.from(
      [
        `MSH|^~\\&|${HOSPITAL}|PORTOLAN|EE|${at}+0200||${type}|EE-${id}-${wrong.mark}|P|2.5.1||||||UNICODE UTF-8`,
        ...(type.startsWith('ADT') ? [`EVN||${at}+0200`] : []),
        pid,
        ...also,
        '',
      ].join('\r'),
    );
  const results = (id: string, at: string): Uint8Array =>
    message('ORU^R01^ORU_R01', id, at, `PID|1||${number}||Tundmatu^Naine||||F`, [
      `OBR|1||F-${wrong.mark}^LAB|KREA^Kreatiniin^99EELAB|||${at}+0200|||||||||||||||${at}+0200||LAB|F`,
      `OBX|1|NM|KREA^Kreatiniin^99EELAB||71.50|umol/L|45-84||||F|||${at}+0200`,
    ]);
  const stateOf = async ({ transfer }: Obtained): Promise<string | undefined> =>
    (await rows<{ state: string }>(world, 'PT', 'SELECT state FROM edge.view WHERE transfer_id = $1', [transfer]))[0]?.state;
  const shown = async (obtained: Obtained): Promise<readonly number[]> =>
    Promise.all(
      ['AllergyIntolerance', 'Observation'].map(
        async (type) =>
          entriesOf(await asker.at(`/fhir/${type}?patient=Patient/${obtained.handle}`)).filter(({ resourceType }) => resourceType === type)
            .length,
      ),
    );

  beforeAll(async () => {
    world = await sharedWorld();
    [wrong, right] = [somebody('EE'), somebody('EE')];
    number = `H-777-${wrong.mark}^^^EE-NAIDISHAIGLA^MR`;
    const ee = world.at('EE');
    const allergy = 'AL1|1|DA^Ravimiallergia^HL70127|PENI^Penitsilliin^99EEALL|SV|lööve|20100315';
    for (const [id, one] of [wrong, right].entries())
      await filed(
        ee,
        message('ADT^A31^ADT_A05', `A31-${id}`, '20261102081500', `PID|1||${nationalOf(one)}||${demographics(one)}`, ['PV1|1|N', allergy]),
      );
    await filed(ee, results('ORU-1', '20261103081500'));
    const joined = `PID|1||${nationalOf(wrong)}||${demographics(wrong)}`;
    await filed(ee, message('ADT^A40^ADT_A39', 'A40', '20261103091500', joined, [`MRG|${number}||||||Tundmatu^Naine`]));
    asker = new Asker(world, 'PT', 'EE');
    await new Herself(world, wrong).permits(['PT'], ASKED);
    before = await asker.obtain(wrong, ASKED);
    expect(await shown(before)).toEqual([1, 1]);
    // She allows her summary to be asked for, and nothing that a laboratory found.
    const herself = new Herself(world, right);
    await herself.permits(['PT'], ASKED);
    restriction = await herself.forbids('restriction', { categories: ['laboratory'] });
    hers = await asker.obtain(right, ASKED);
    expect(await shown(hers)).toEqual([1, 0]);
  });

  it('says so to both, and ends what was shown as the wrong one’s', async () => {
    // In the form of HL7 v2.3: PID-2 says to whom the number goes, MRG-4 whose it was.
    const to = `PID|1|${nationalOf(right)}|${number}||${demographics(right)}`;
    await filed(world.at('EE'), message('ADT^A43^ADT_A43', 'A43', '20261104081500', to, [`MRG|${number}|||${nationalOf(wrong)}`]));
    await new Herself(world, wrong).hears('the number is hers no more', ({ act }) => act === 'person-parted');
    await new Herself(world, right).hears('the number is hers now', ({ act }) => act === 'person-joined');
    await eventually('what was shown abroad is destroyed', async () => (await stateOf(before)) === 'destroyed');
  });

  it('lets nothing of it cross as the wrong one’s any more, and what is her own still does', async () => {
    expect(await shown(await asker.obtain(wrong, ASKED))).toEqual([1, 0]);
    expect((await new Herself(world, wrong).call('/person/record/export')).text).not.toContain('71.5');
  });

  it('is in the right one’s record, and crosses no border that she closed', async () => {
    const herself = new Herself(world, right);
    expect((await herself.call('/person/record/export')).text).toContain('71.5');
    await eventually('who was shown hers hears that there is more', async () => (await stateOf(hers)) !== 'open');
    expect(await shown(await asker.obtain(right, ASKED))).toEqual([1, 0]);
    expect((await herself.call(`/person/restrictions/${restriction}/lift`, {})).status).toBe(202);
    await eventually('what she opened again crosses', async () => (await shown(await asker.obtain(right, ASKED)))[1] === 1);
  });

  it('takes what still comes under the number for hers', async () => {
    const later = Buffer.from(results('ORU-2', '20261105081500')).toString().replace('71.50', '82.50');
    await filed(world.at('EE'), Buffer.from(later));
    expect((await new Herself(world, right).call('/person/record/export')).text).toContain('82.5');
    expect((await new Herself(world, wrong).call('/person/record/export')).text).not.toContain('82.5');
  });
});
