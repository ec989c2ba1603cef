import { PortolanError, type BusinessIdentifier, type CountryCode } from '@portolan/contracts';
import {
  categoriesOf,
  isRefused,
  isSupporting,
  keyOf,
  literalReferences,
  objects,
  RecordSource,
  stableUuid,
  subjectOf,
  textAt,
  typesGiving,
  writeResource,
  type FhirValidator,
  type Person,
  type RecordReader,
  type RecordsWanted,
  type StoredResource,
} from '@portolan/domain';
import { hexOf } from '@portolan/verify';
import { FhirService, type Asking, type FhirServiceConfig, type Given } from './fhir-service.js';
import { withOwnIds } from './own-ids.js';

export interface FhirRecordSourceConfig extends FhirServiceConfig {
  readonly custodian: CountryCode;
  /** Whom a local person is: her identifiers and birth date, from the node's own index. */
  readonly people: Pick<RecordReader, 'person'>;
  readonly validator: FhirValidator;
}

/** Rounds of following references from shared resources to others: a role, its practitioner, its organisation. */
const MAX_ROUNDS = 4;
const PAGE = '200';

/**
 * Records that stay with the hospital or the national service until they are asked for (`fetch`; design, section 4). The person is
 * found there by an identifier that our own index holds of her, and is hers only where identifier and birth date agree. Everything
 * is validated, nothing is written anywhere, and ids are made ours. One resource that is wrong refuses the whole answer: a record with
 * a hole would look whole.
 *
 * Throws `source.unreachable` (retriable), `source.refused`, `source.answer-invalid`, `source.another-person`,
 * `source.leads-elsewhere`. With a deadline (`by`) a service that is late or fails counts as holding nothing.
 */
export class FhirRecordSource extends RecordSource {
  private readonly service: FhirService;
  private failures = 0;
  private restsUntil = 0;

  constructor(private readonly config: FhirRecordSourceConfig) {
    super();
    this.service = new FhirService(config);
  }

  async gather(wanted: RecordsWanted): Promise<readonly StoredResource[]> {
    const now = this.config.now();
    const person = await this.config.people.person(wanted.person);
    if (person === undefined || person.identifiers.length === 0) return [];
    if (this.restsUntil > now) throw new PortolanError('source.unreachable', this.config.name, 'left alone for a while after failures');
    try {
      const found = await this.ask(person, wanted, this.service.asking(wanted.by === undefined ? Infinity : wanted.by - now));
      this.failures = 0;
      return found;
    } catch (error) {
      this.note(error, now);
      throw error;
    }
  }

  /** A service that is down is not asked by every request that comes. */
  private note(error: unknown, now: number): void {
    if (!(error instanceof PortolanError) || error.code !== 'source.unreachable') return;
    this.failures += 1;
    if (this.failures >= this.service.limits.failuresToRest) this.restsUntil = now + this.service.limits.restMs;
  }

  private async ask(person: Person, wanted: RecordsWanted, asking: Asking): Promise<readonly StoredResource[]> {
    const patients = await this.patientsOf(person, asking);
    const types = typesGiving(wanted.categories);
    const own: Given[] = [];
    for (const patient of patients) {
      const asks = types.map((type) => () => this.entriesOf(type, keyOf(patient.resource), asking));
      own.push(...(await inTurns(asks, this.service.limits.atOnce)).flat());
    }
    const all = unique([...patients, ...own]);
    const supporting = await this.referred(all, asking);
    return this.stored([...all, ...supporting]);
  }

  /** The service's Patients that are this person. One that answers to her identifier and was born on another day, or on none, is not. */
  private async patientsOf({ identifiers, birthDate }: Person, asking: Asking): Promise<readonly Given[]> {
    const asks = identifiers.map((identifier) => async () => {
      const found = await this.service.search('Patient', { identifier: token(identifier), _count: PAGE }, asking);
      for (const { resource } of found) this.mustBe(identifier, birthDate, resource);
      return found;
    });
    return unique((await inTurns(asks, this.service.limits.atOnce)).flat());
  }

  private mustBe(identifier: BusinessIdentifier, birthDate: string | undefined, resource: Given['resource']): void {
    const bears = objects(resource['identifier']).some(
      (one) => textAt(one, 'system') === identifier.system && textAt(one, 'value') === identifier.value,
    );
    const sameDay = birthDate === undefined || textAt(resource, 'birthDate') === birthDate;
    if (resource.resourceType === 'Patient' && bears && sameDay) return;
    throw new PortolanError('source.another-person', `${this.config.name}/Patient`);
  }

  private async entriesOf(type: string, patient: string, asking: Asking): Promise<readonly Given[]> {
    const found = await this.service.search(type, { patient, _count: PAGE }, asking);
    for (const { resource } of found) {
      if (isSupporting(resource.resourceType)) continue;
      if (resource.resourceType !== type) throw new PortolanError('source.answer-invalid', `${this.config.name}/${type}`, 'another type');
      if (subjectOf(resource) !== patient) throw new PortolanError('source.another-person', `${this.config.name}/${type}`);
    }
    return found;
  }

  /** Organisations, professionals, medications, specimens that are named, and are not here yet. */
  private async referred(from: readonly Given[], asking: Asking): Promise<readonly Given[]> {
    const known = new Set(from.map(({ resource }) => keyOf(resource)));
    const found: Given[] = [];
    let latest = from;
    for (let round = 0; round < MAX_ROUNDS && latest.length > 0; round += 1) {
      const targets = latest.flatMap(({ resource }) => literalReferences(resource).map(({ target }) => target));
      const wanted = [...new Set(targets)].filter((target) => isSupporting(target.split('/')[0] ?? '') && !known.has(target));
      for (const target of wanted) known.add(target);
      latest = (
        await inTurns(
          wanted.map((target) => () => this.one(target, asking)),
          this.service.limits.atOnce,
        )
      ).flat();
      found.push(...latest);
    }
    return found;
  }

  private async one(target: string, asking: Asking): Promise<readonly Given[]> {
    const [type = '', id = ''] = target.split('/');
    const given = await this.service.read(type, id, asking);
    return given === undefined ? [] : [given];
  }

  private stored(given: readonly Given[]): readonly StoredResource[] {
    const { name, custodian, sha256 } = this.config;
    const known = new Set(given.map(({ resource }) => keyOf(resource)));
    const idOf = (type: string, id: string): string => stableUuid((bytes) => hexOf(sha256(bytes)), ['fetch', name, type, id]);
    return given.map(({ resource, time, answer }) => {
      this.mustBeValid(resource);
      const ours = withOwnIds(resource, idOf, known);
      return {
        type: ours.resourceType,
        id: textAt(ours, 'id') ?? '',
        versionId: textAt(resource, 'meta', 'versionId') ?? '1',
        lastUpdated: textAt(resource, 'meta', 'lastUpdated') ?? time,
        text: writeResource(ours),
        categories: categoriesOf(ours),
        custodian,
        fetched: { source: name, time, answer },
      };
    });
  }

  private mustBeValid(resource: Given['resource']): void {
    const issues = this.config.validator.validate(resource);
    if (!isRefused(issues)) return;
    const [first] = issues.filter(({ severity }) => severity === 'fatal' || severity === 'error');
    throw new PortolanError('source.answer-invalid', `${this.config.name}/${first?.path ?? resource.resourceType}`, first?.rule);
  }
}

/** FHIR search token `system|value` (R4 §3.1.1.4.12), with its own escapes. */
const token = ({ system, value }: BusinessIdentifier): string => [system, value].map((part) => part.replace(/[\\$,|]/g, '\\$&')).join('|');

/** One of each `Type/id`. */
const unique = (given: readonly Given[]): readonly Given[] => [...new Map(given.map((one) => [keyOf(one.resource), one])).values()];

/** Runs all, at most so many at once; the first failure is the answer. */
async function inTurns<T>(work: readonly (() => Promise<T>)[], atOnce: number): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < work.length; i += atOnce) results.push(...(await Promise.all(work.slice(i, i + atOnce).map((one) => one()))));
  return results;
}
