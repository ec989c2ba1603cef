import { Inject, Injectable } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import { instant, withVersion, type EdgeTx, type ResourceVersion } from '@portolan/domain';
import { EdgeParts } from '../edge.parts.js';
import { recordLocalAct } from '../local-acts.js';
import { PersonAccess, type Herself } from './herself.js';

const MAX_RESOURCES = 20_000;

/** Who acted and where belongs to nobody's record, and comes along where the record names it. */
const NAMED = /"reference":"((?:Location|Organization|Practitioner|PractitionerRole)\/[A-Za-z0-9.-]{1,64})"/g;

/** The record for the person to take along. */
@Injectable()
export class RecordExport {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(PersonAccess) private readonly access: PersonAccess,
  ) {}

  /** FHIR JSON text of a Bundle of type `collection`, digits as they are stored. Throws `person.record-too-large`. */
  bundle(herself: Herself): Promise<string> {
    const { uow, random, clock } = this.parts;
    return uow.run(async (tx) => {
      const { id: person } = herself.person;
      const own = await tx.resources.ofPerson(person, 'all', MAX_RESOURCES);
      if (own.length === MAX_RESOURCES) throw new PortolanError('person.record-too-large', 'GET /person/record/export');
      const all = [...own, ...(await named(tx, own))];
      const act = this.access.act('record-read', herself, { purpose: 'PATRQT' });
      await recordLocalAct(tx, random, act, { person, keyId: await tx.keys.forPerson(person) });
      const head = JSON.stringify({ resourceType: 'Bundle', id: random.uuid(), type: 'collection', timestamp: instant(clock.now()) });
      return all.length === 0 ? head : `${head.slice(0, -1)},"entry":[${all.map((one) => this.entry(one)).join(',')}]}`;
    });
  }

  private entry({ type, id, text, versionId, lastUpdated }: ResourceVersion): string {
    return `{"fullUrl":${JSON.stringify(`${this.parts.fhirBase}/${type}/${id}`)},"resource":${withVersion(text, versionId, lastUpdated)}}`;
  }
}

/** What the record names of people and places, and what these name in turn. */
async function named(tx: EdgeTx, record: readonly ResourceVersion[]): Promise<readonly ResourceVersion[]> {
  const found = new Map<string, ResourceVersion>();
  const seen = new Set(record.map(({ type, id }) => `${type}/${id}`));
  const texts = record.map(({ text }) => text);
  for (let text = texts.pop(); text !== undefined; text = texts.pop()) {
    for (const [, reference = ''] of text.matchAll(NAMED)) {
      if (seen.has(reference)) continue;
      seen.add(reference);
      const [type = '', id = ''] = reference.split('/');
      const resource = await tx.resources.get(type, id);
      if (resource === undefined || resource.deleted || resource.person !== undefined) continue;
      found.set(reference, resource);
      texts.push(resource.text);
    }
  }
  return [...found.values()];
}
