import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained } from './abroad.js';
import { everythingIn, ordererRows, rows } from './backstage.js';
import { actsAt, keptAt } from './channel.js';
import { Herself, newcomer, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

describe('nothing on the channel identifies a person or speaks of health', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let obtained: Obtained;
  let again: Obtained;
  let consent: string;

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
    const herself = new Herself(world, person);
    consent = await herself.permits(['PT'], ['laboratory', 'summary']);
    const asker = new Asker(world, 'PT', 'EE');
    obtained = await asker.obtain(person, ['laboratory']);
    again = await asker.obtain(person, ['summary']);
    await herself.withdraws(consent);
    await eventually('the transfers have ended on the channel', async () => {
      const ended = `SELECT 1 FROM notary.trail_step WHERE step = 'received' AND transfer_id IN ($1, $2)`;
      return (await rows(world, 'DE', ended, [obtained.transfer, again.transfer])).length === 2;
    });
  });

  /** All acts, as a country that was no party to the transfers reads them. */
  const transactions = () => actsAt(world, 'DE');

  it('has none of her names, numbers, values, codes, categories or organisations in any block', async () => {
    const acts = await transactions();
    expect(JSON.stringify(acts)).toContain(obtained.transfer);
    const telling = [
      ...[person.family, person.identifier.value, person.birthDate, person.birthDate.replaceAll('-', ''), person.mark],
      ...['laboratory', 'summary', 'medication', 'Glükoos', 'GLUK', '2. tüübi diabeet', 'E11', 'mmol/l'],
      ...['Rita Ensaio', 'hospital', 'NAIDISHAIGLA', 'doctor', 'OM00001', '1.3.6.1.4.1.28284'],
      ...['withdrawn', 'opted-out', 'restricted', consent],
    ];
    const steps = acts.filter(({ fn }) => !['put-key', 'put-consent', 'admit-organisation', 'found-organisation'].includes(fn));
    for (const word of telling) expect(JSON.stringify(steps), word).not.toContain(word);
  });

  it('has none of them in the notaries’ schemas, nor at the orderer', async () => {
    const schemas = await Promise.all([
      ...['EE', 'PT', 'DE', 'BE'].map((country) => everythingIn((sql) => rows(world, country, sql), 'notary')),
      everythingIn((sql) => ordererRows(world, sql), 'orderer'),
    ]);
    const texts = schemas.flat();
    expect(texts.some(({ text }) => text.includes(obtained.transfer))).toBe(true);
    for (const word of [person.family, person.identifier.value, person.birthDate, person.mark, 'laboratory', 'Glükoos']) {
      const telling = texts.filter(({ text }) => text.includes(word)).map(({ table }) => table);
      expect(telling, word).toEqual([]);
    }
  });

  it('has none of them in what any country keeps of the channel, nor in what partners sent: blocks and topics as they lie on the disk', async () => {
    const kept = await Promise.all(['EE', 'PT', 'DE', 'BE'].map((country) => keptAt(world, country)));
    // The search finds what is there: the transfer in every copy of the channel, and in the inboxes of both parties.
    expect(kept.map(({ channel }) => channel.includes(obtained.transfer))).toEqual([true, true, true, true]);
    expect(kept.map(({ inbox }) => inbox.includes(obtained.transfer))).toEqual([true, true, false, false]);
    const telling = [person.family, person.identifier.value, person.birthDate, person.mark, 'laboratory', 'Glükoos', 'diabeet'];
    for (const word of telling) {
      for (const { channel, inbox } of kept) expect([channel.includes(word), inbox.includes(word)], word).toEqual([false, false]);
    }
  });

  it('names a consent in no step and no permit, and gives each permit an id of its own', async () => {
    const acts = await transactions();
    const permits = acts.filter(({ fn, args }) => fn === 'put-permit' && [obtained.permit, again.permit].includes(args['id'] as string));
    expect(permits).toHaveLength(2);
    for (const { args } of permits) {
      expect(Object.keys(args).sort()).toEqual(['commitment', 'custodian', 'id', 'purpose', 'recipient', 'until', 'v']);
    }
    const [one, two] = permits.map(({ args }) => args['commitment'] as string);
    expect(one).not.toBe(two);
    // The one thing said of the consent is its commitment, under an id that nothing else bears.
    expect(
      acts
        .filter((act) => JSON.stringify(act).includes(consent))
        .map(({ fn }) => fn)
        .filter((fn) => fn !== 'put-consent'),
    ).toEqual([]);
  });

  it('ends a permit without a word about why', async () => {
    const ends = (await transactions()).filter(
      ({ fn, args }) => fn === 'end-permit' && [obtained.permit, again.permit].includes(args['permitId'] as string),
    );
    expect(ends).toHaveLength(2);
    for (const { args } of ends) expect(Object.keys(args).sort()).toEqual(['permitId', 'v']);
  });

  it('gives no leaf a member beside ids, countries, hashes and times', async () => {
    const steps = (await transactions())
      .filter(({ fn }) => fn === 'anchor-batch')
      .flatMap(({ args }) => args['steps'] as readonly { leaf: string }[]);
    const known = new Set([
      'v',
      'step',
      'transferId',
      'from',
      'to',
      'by',
      'permitId',
      'ciphertextHash',
      'commitment',
      'limit',
      'graceSeconds',
      'predecessor',
      'receiptHash',
      'reason',
      'time',
      'late',
    ]);
    expect(steps.length).toBeGreaterThanOrEqual(4);
    for (const { leaf } of steps) for (const member of Object.keys(JSON.parse(leaf) as object)) expect([...known]).toContain(member);
  });
});
