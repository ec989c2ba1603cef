import { beforeAll, describe, expect, it } from 'vitest';
import { Asker, type Obtained } from './abroad.js';
import { rows } from './backstage.js';
import { Herself, newcomer } from './cast.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

interface Composition {
  readonly resourceType: string;
  readonly section?: readonly { readonly title: string; readonly text?: { readonly div: string } }[];
}

describe('a Portuguese doctor opens an Estonian summary', () => {
  let world: SharedWorld;
  let doctor: Asker;
  let seen: Obtained;
  let anchored: string;

  const anchoredHash = async (): Promise<string> =>
    JSON.stringify(await rows(world, 'PT', 'SELECT * FROM edge.view WHERE transfer_id = $1', [seen.transfer]));

  beforeAll(async () => {
    world = await sharedWorld();
    const person = await newcomer(world, 'EE');
    await new Herself(world, person).permits(['PT'], ['laboratory', 'summary']);
    doctor = new Asker(world, 'PT', 'EE');
    seen = await doctor.obtain(person, ['laboratory', 'summary']);
    anchored = await anchoredHash();
  });

  const resultsIn = (text: string): string => {
    const bundle = JSON.parse(text) as { readonly entry: readonly { readonly resource: Composition }[] };
    const sections = bundle.entry.flatMap(({ resource }) => resource.section ?? []);
    return sections.find(({ title }) => title === 'Uuringute tulemused')?.text?.div ?? '';
  };

  it.each(['the summary', 'the view'])('and reads coded displays in Portuguese beneath the Estonian narrative of %s', async (what) => {
    const shown = await doctor.at(what === 'the view' ? `/fhir/${seen.view}` : `/fhir/Patient/${seen.handle}/$summary`);
    expect(shown.status).toBe(200);
    const [estonian = '', portuguese = '', ...more] = resultsIn(shown.text).split('<div lang="pt" xml:lang="pt">');
    expect(estonian).toMatch(/^<div [^>]*lang="et"[^>]*>.*Kordusanalüüs kinnitas tulemuse/);
    expect(estonian).not.toContain('Glicose');
    expect(portuguese).toContain('É o texto da fonte, acima, que faz fé.');
    expect(portuguese).toMatch(/<td>Glicose no soro ou plasma \(mmol\/L\)<\/td><td>final; 7\.80 mmol\/L; alto<\/td>/);
    expect(portuguese).not.toContain('Kordusanalüüs');
    expect(more).toEqual([]);
  });

  it('and finds the Portuguese word beside the code and the display of a result', async () => {
    const found = await doctor.at(`/fhir/Observation?patient=Patient/${seen.handle}&category=laboratory`);
    expect(found.text).toMatch(/"display":"Glucose [^"]*","_display":\{"extension":\[\{"extension":\[\{"url":"lang","valueCode":"pt"\}/);
  });

  it('of which nothing is stored: what came lies there as it came', async () => expect(await anchoredHash()).toBe(anchored));

  it('while her colleague in Estonia reads her own record as it is', async () => {
    const home = new Asker(world, 'EE', 'PT');
    const person = await newcomer(world, 'EE');
    for (const one of await home.resultsAtHome(person)) expect(JSON.stringify(one)).not.toContain('translation');
  });
});
