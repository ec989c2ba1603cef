import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../client/country-client.js';
import { eventually } from '../story/wait.js';
import { juku, mari } from '../world/demo-people.js';
import { Asker, type Obtained } from './abroad.js';
import { rows } from './backstage.js';
import { filed, Herself, messagesAbout, newcomer, tokenOf, type FeedLine, type Newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

const FOR = 'portolan-for';

describe('below the age of her own word a person is spoken for by whom the policy names, and by nobody else', () => {
  let world: SharedWorld;
  let parent: string;
  let own: string;
  let obtained: Obtained;
  let consentId: string;
  const child: Newcomer = { ...juku, given: 'Juku', mark: 'JUKU' };
  const forChild = { [FOR]: `${juku.identifier.system}|${juku.identifier.value}` };

  beforeAll(async () => {
    world = await sharedWorld();
    for (const message of await messagesAbout(child)) await filed(world.at('EE'), message);
    // The record of the parent's own, which no word for the child may touch.
    for (const message of await messagesAbout({ ...mari, given: 'Mari', mark: 'PARENT' })) await filed(world.at('EE'), message);
    [parent, own] = [await world.at('EE').login('mari'), await world.at('EE').login('juku')];
  });

  const call = (token: string, path: string, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    world.at('EE').call(path, { token, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const permission = (): object => ({
    recipients: ['PT'],
    purposes: ['TREAT'],
    categories: ['laboratory'],
    until: new Date(Date.now() + 86_400_000).toISOString(),
  });
  const standing = async (token: string, headers = {}): Promise<readonly { id: string; state: string; givenBy: { role: string } }[]> =>
    (await call(token, '/person/grounds', undefined, headers)).json<{
      consents: readonly { id: string; state: string; givenBy: { role: string } }[];
    }>().consents;

  it('her own word does not count yet, and she reads what is said of her all the same', async () => {
    for (const [path, body] of [
      ['/person/consents', permission()],
      ['/person/restrictions', { kind: 'opt-out' }],
    ] as const) {
      const answer = await call(own, path, body);
      expect([answer.status, answer.text.includes('ground.not-of-age')], path).toEqual([403, true]);
    }
    expect(await standing(own)).toEqual([]);
    expect(await new Asker(world, 'PT', 'EE').find(child)).toBeUndefined();
  });

  it('her parent permits, PT is given what was permitted, and the feed says who spoke for her', async () => {
    const answer = await call(parent, '/person/consents', permission(), forChild);
    expect(answer.status, answer.text).toBe(202);
    consentId = answer.json<{ consentId: string }>().consentId;
    await eventually('it stands', async () => (await standing(own)).some(({ id, state }) => id === consentId && state === 'live'));
    expect((await standing(own)).map(({ givenBy }) => givenBy.role)).toEqual(['PRN']);
    expect((await standing(parent, forChild)).map(({ id }) => id)).toEqual([consentId]);
    expect((await standing(parent)).map(({ id }) => id)).not.toContain(consentId);
    obtained = await new Asker(world, 'PT', 'EE').obtain(child, ['laboratory']);
    const feed = (await call(own, '/person/feed?limit=100')).json<{ entries: readonly FeedLine[] }>().entries;
    expect(feed.find(({ act }) => act === 'consent-given')?.who).toMatchObject({ name: mari.name, role: 'PRN' });
  });

  it('nobody else speaks for her, and nobody for whom has a word of her own', async () => {
    const stranger = new Herself(world, await newcomer(world, 'EE'));
    const strange = await tokenOf(world, stranger.person);
    // Not even whom a provider says to be her child: she is of age, and acts alone.
    const daughter = await newcomer(world, 'EE');
    const claim = { ...daughter.identifier, relationship: 'PRN' };
    const mother = await tokenOf(world, stranger.person, { ptl_represents: [claim] });
    const forDaughter = { [FOR]: `${daughter.identifier.system}|${daughter.identifier.value}` };
    const attempts: readonly (readonly [string, Promise<Answer>])[] = [
      ['a stranger', call(strange, '/person/consents', permission(), forChild)],
      ['a stranger, to read', call(strange, '/person/feed', undefined, forChild)],
      ['a stranger, to withdraw', call(strange, `/person/consents/${consentId}/withdraw`, {}, forChild)],
      ['the mother of a grown daughter', call(mother, '/person/consents', permission(), forDaughter)],
      ['the mother of a grown daughter, to read', call(mother, '/person/grounds', undefined, forDaughter)],
      ['the parent, in what is hers alone', call(parent, '/person/record/export', undefined, forChild)],
      ['the parent, for nobody that has a name', call(parent, '/person/grounds', undefined, { [FOR]: 'nobody' })],
    ];
    for (const [who, attempt] of attempts) {
      const answer = await attempt;
      expect([answer.status, answer.text.includes('ground.not-represented')], who).toEqual([403, true]);
    }
    expect((await standing(own)).map(({ state }) => state)).toEqual(['live']);
  });

  it('her parent withdraws, and what stood abroad is destroyed', async () => {
    expect((await call(own, `/person/consents/${consentId}/withdraw`, {})).text).toContain('ground.not-of-age');
    expect((await call(parent, `/person/consents/${consentId}/withdraw`, {}, forChild)).status).toBe(202);
    await eventually('the view is destroyed', async () => {
      const found = await rows<{ state: string }>(world, 'PT', 'SELECT state FROM edge.view WHERE transfer_id = $1', [obtained.transfer]);
      return found[0]?.state === 'destroyed';
    });
    expect((await new Asker(world, 'PT', 'EE').record(obtained.handle, ['laboratory'])).text).toContain('request.none');
  });
});
