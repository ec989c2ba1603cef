import type { CountryCode } from '@portolan/contracts';
import {
  isSupporting,
  RecordSource,
  type RecordReader,
  type RecordsWanted,
  type ResourceVersion,
  type StoredResource,
} from '@portolan/domain';

/** More than this of one person is not released in one crossing; narrower categories or dates must be asked for. */
const MAX_RESOURCES = 5_000;
/** Rounds of following references from shared resources to others: a role, its practitioner, its organisation, that one's parent. */
const MAX_ROUNDS = 4;

/** Records in the node's own store (`store`; design, section 4), read by the exchange itself with its own database role. */
export class StoreRecordSource extends RecordSource {
  constructor(
    private readonly reader: RecordReader,
    private readonly custodian: CountryCode,
  ) {
    super();
  }

  async gather({ person, categories }: RecordsWanted): Promise<readonly StoredResource[]> {
    const own = await this.reader.resources(person, categories, MAX_RESOURCES);
    const gathered = [...own, ...(await this.referred(own))];
    return gathered.filter(({ deleted }) => !deleted).map((version) => this.stored(version));
  }

  /** Organisations and professionals that the person's resources name; they belong to nobody's record. */
  private async referred(from: readonly ResourceVersion[]): Promise<readonly ResourceVersion[]> {
    const known = new Set(from.map(({ type, id }) => `${type}/${id}`));
    const found: ResourceVersion[] = [];
    let latest = from;
    for (let round = 0; round < MAX_ROUNDS && latest.length > 0; round += 1) {
      const wanted = latest.flatMap(({ text }) => referencesIn(text)).filter((reference) => !known.has(reference));
      for (const reference of wanted) known.add(reference);
      latest = wanted.length === 0 ? [] : await this.reader.shared([...new Set(wanted)].map(placeOf));
      found.push(...latest);
    }
    return found;
  }

  private stored({ type, id, versionId, lastUpdated, text, categories }: ResourceVersion): StoredResource {
    return { type, id, versionId: String(versionId), lastUpdated, text, categories, custodian: this.custodian };
  }
}

/** Relative literal references to supporting resources in a resource's JSON text. */
function referencesIn(text: string): string[] {
  return [...text.matchAll(/"reference":\s*"([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})"/g)].flatMap(([, type = '', id = '']) =>
    isSupporting(type) ? [`${type}/${id}`] : [],
  );
}

function placeOf(reference: string): { type: string; id: string } {
  const [type = '', id = ''] = reference.split('/');
  return { type, id };
}
