import type { CountryCode, DataCategory } from '@portolan/contracts';
import { RecordSource, type PersonId, type RecordReader, type StoredResource } from '@portolan/domain';

/** More than this of one person is not released in one crossing; narrower categories or dates must be asked for. */
const MAX_RESOURCES = 5_000;

/** Records in the node's own store (`store`; design, section 4), read by the exchange itself with its own database role. */
export class StoreRecordSource extends RecordSource {
  constructor(
    private readonly reader: RecordReader,
    private readonly custodian: CountryCode,
  ) {
    super();
  }

  async gather(person: PersonId, categories: readonly DataCategory[]): Promise<readonly StoredResource[]> {
    const found = await this.reader.resources(person, categories, MAX_RESOURCES);
    return found
      .filter(({ deleted }) => !deleted)
      .map(({ type, id, versionId, lastUpdated, text, categories: stored }) => ({
        type,
        id,
        versionId: String(versionId),
        lastUpdated,
        text,
        categories: stored,
        custodian: this.custodian,
      }));
  }
}
