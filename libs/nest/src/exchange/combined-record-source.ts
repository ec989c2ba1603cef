import { PortolanError } from '@portolan/contracts';
import { RecordSource, type Clock, type RecordsWanted, type StoredResource } from '@portolan/domain';
import type { NodeLogger } from '../runtime/logger.js';

/**
 * What a country holds of a person: its own store, and services that are asked now. With a deadline, a service that is late or fails
 * counts as holding nothing, and the failure is logged; without one its failure is the answer, and whoever asked tries again.
 */
export class CombinedRecordSource extends RecordSource {
  constructor(
    private readonly store: RecordSource,
    private readonly services: readonly RecordSource[],
    private readonly clock: Clock,
    private readonly logger: Pick<NodeLogger, 'failure'>,
  ) {
    super();
  }

  async gather(wanted: RecordsWanted): Promise<readonly StoredResource[]> {
    const asked = this.services.map((service) => this.ask(service, wanted));
    return (await Promise.all([this.store.gather(wanted), ...asked])).flat();
  }

  private ask(service: RecordSource, wanted: RecordsWanted): Promise<readonly StoredResource[]> {
    const answer = service.gather(wanted);
    if (wanted.by === undefined) return answer;
    const unheard = (code: string, error?: unknown): readonly StoredResource[] => {
      this.logger.failure('a source of records was not heard', code, error);
      wanted.unheard?.(code);
      return [];
    };
    const tolerated = answer.catch((error: unknown) => unheard(error instanceof PortolanError ? error.code : 'source.unreachable', error));
    return heardBy(tolerated, Math.max(0, wanted.by - this.clock.now()), () => unheard('source.unreachable'));
  }
}

/** What comes within so many milliseconds, or what is said instead. */
async function heardBy<T>(answer: Promise<T>, withinMs: number, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late()), withinMs);
  });
  return Promise.race([answer, end]).finally(() => clearTimeout(timer));
}
