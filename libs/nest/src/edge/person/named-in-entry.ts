import { isSupporting, type EdgeTx, type ResourceVersion } from '@portolan/domain';

/** Rounds of following references: a role, its practitioner, its organisation, that one's parent. */
const MAX_ROUNDS = 4;

/** The professionals, organisations and devices that an entry names: they are nobody's record, and cross with it. */
export async function namedInEntry(tx: EdgeTx, entry: ResourceVersion): Promise<readonly ResourceVersion[]> {
  const known = new Set([`${entry.type}/${entry.id}`]);
  const found: ResourceVersion[] = [];
  let latest: readonly ResourceVersion[] = [entry];
  for (let round = 0; round < MAX_ROUNDS && latest.length > 0; round += 1) {
    const wanted = [...new Set(latest.flatMap(({ text }) => referencesIn(text)))].filter((reference) => !known.has(reference));
    for (const reference of wanted) known.add(reference);
    const read = await Promise.all(wanted.map((reference) => tx.resources.get(...placeOf(reference))));
    latest = read.filter((one): one is ResourceVersion => one !== undefined && one.person === undefined && !one.deleted);
    found.push(...latest);
  }
  return found;
}

/** Relative literal references to supporting resources in a resource's JSON text. */
const referencesIn = (text: string): string[] =>
  [...text.matchAll(/"reference":\s*"([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})"/g)].flatMap(([, type = '', id = '']) =>
    isSupporting(type) ? [`${type}/${id}`] : [],
  );

function placeOf(reference: string): [type: string, id: string] {
  const [type = '', id = ''] = reference.split('/');
  return [type, id];
}
