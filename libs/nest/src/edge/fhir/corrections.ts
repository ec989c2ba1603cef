import { PortolanError } from '@portolan/contracts';
import { Inject, Injectable } from '@nestjs/common';
import {
  changedElements,
  isFhirObject,
  isTakenBack,
  localReference,
  parseSearch,
  post,
  spendStatement,
  treeOf,
  withVersion,
  type EdgeTx,
  type FhirObject,
  type FhirValue,
  type PersonId,
  type ResourceVersion,
} from '@portolan/domain';
import { EdgeParts } from '../edge.parts.js';
import { sentBy } from '../ingest/sent-by.js';
import { recordLocalAct } from '../local-acts.js';
import { organisationKey } from '../person/proposed-entry.js';
import { actOf } from './accesses.js';
import { fileEntry, fileProvenance, type IdentifiedResource } from './entries.js';
import { header, ok, parametersIn, type FhirAnswer, type FhirCall } from './fhir-call.js';
import { demandPerson, fhirCaller, mayAct, type FhirCaller } from './fhir-caller.js';
import { indexOptions } from './index-options.js';
import { etagOf } from './local-records.js';
import { reasonOf } from './operation-inputs.js';

interface Correction {
  readonly resource: FhirObject & { resourceType: string };
  readonly id: string;
  readonly reason: string;
  /** Version that the change was made for (If-Match), where the client says so. */
  readonly ifMatch: string | undefined;
}

/** An entry of a person's record. */
type OwnEntry = ResourceVersion & { readonly person: PersonId };

/** `$correct`: a new version of an entry by its author or the organisation that made it, with reason and diff (invariant 7). */
@Injectable()
export class Corrections {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  async correct(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts);
    const parameters = parametersIn(call, this.parts);
    const resource = parameters.resource('resource');
    const type = resource.resourceType;
    if (!mayAct(caller, [type, 'u'])) throw new PortolanError('fhir.scope-missing', 'access token', `${type}.u`);
    const place = localReference(`${type}/${typeof resource['id'] === 'string' ? resource['id'] : ''}`);
    if (place === undefined || ['Patient', 'Provenance', 'Bundle', 'Linkage'].includes(type)) {
      throw new PortolanError('fhir.parameter-invalid', 'Parameters.resource', 'an entry of a record with its id is expected');
    }
    const correction = { resource, id: place.id, reason: reasonOf(parameters), ifMatch: header(call, 'if-match') };
    return this.parts.uow.run(async (tx) => {
      await spendStatement(tx, caller.acting);
      return this.apply(tx, correction, caller);
    });
  }

  private async apply(tx: EdgeTx, correction: Correction, caller: FhirCaller): Promise<FhirAnswer> {
    const { resource, id } = correction;
    const type = resource.resourceType;
    const before = await this.standing(tx, correction, caller);
    const corrected: IdentifiedResource = { ...withoutVersion(resource), resourceType: type, id };
    const filed = await fileEntry(tx, corrected, before, this.parts);
    const { versionId, changed } = filed;
    // The store locked the entry only now: somebody may have been quicker.
    if (versionId !== before.versionId + (changed ? 1 : 0)) throw new PortolanError('fhir.version-conflict', `${type} resource`);
    if (changed) await this.tell(tx, { ...correction, resource: corrected }, before, versionId, caller);
    const headers = { etag: etagOf(versionId), 'content-location': `${this.parts.fhirBase}/${type}/${id}/_history/${versionId}` };
    return ok(withVersion(filed.text, versionId, filed.lastUpdated), headers);
  }

  /** The entry as it stands, where this caller may correct it and the change was made for it. */
  private async standing(tx: EdgeTx, correction: Correction, caller: FhirCaller): Promise<OwnEntry> {
    const { resource, id } = correction;
    const type = resource.resourceType;
    const before = await tx.resources.get(type, id);
    if (before?.person === undefined || before.deleted) throw new PortolanError('fhir.not-found', `${type} resource`);
    const { person } = before;
    demandPerson(caller, (await tx.persons.get(person))?.identifiers ?? []);
    if (!(await this.isEntitled(tx, before, caller))) throw new PortolanError('fhir.not-the-author', `${type} resource`);
    demandCurrent(correction, before);
    return { ...before, person };
  }

  /** Provenance with the diff, the person's event, and word to the exchange, which tells each receiver of a release. */
  private async tell(
    tx: EdgeTx,
    { resource, id, reason }: Correction,
    before: OwnEntry,
    versionId: number,
    caller: FhirCaller,
  ): Promise<void> {
    const { type, person } = before;
    const { random } = this.parts;
    const previous = { role: 'revision', what: { reference: `${type}/${id}/_history/${before.versionId}` } };
    const changed = changedElements(treeOf(before.text), resource);
    await fileProvenance(
      tx,
      { target: `${type}/${id}/_history/${versionId}`, activity: 'UPDATE', reason, entity: [previous], changed },
      person,
      caller,
      this.parts,
    );
    const keyId = await tx.keys.forPerson(person);
    const facts = actOf('entry-corrected', caller, this.parts, { reason, items: [`${type}/${id}/_history/${versionId}`] });
    await recordLocalAct(tx, random, facts, { person, keyId });
    const change = isTakenBack(resource) ? 'cancelled' : 'superseded';
    await post(tx, {
      id: random.uuid(),
      type: 'resource.changed',
      key: `${type}/${id}`,
      keyId,
      body: { person, type, id, change, reason },
    });
  }

  /** The organisation whose system sent the entry, as systems are registered here; or a professional whom its Provenance names. */
  private async isEntitled(tx: EdgeTx, entry: ResourceVersion, caller: FhirCaller): Promise<boolean> {
    const custodian = await sentBy(tx, entry, this.parts.sources);
    const calling = this.parts.sources.find(({ name }) => name === caller.principal.clientId)?.organisation;
    if (custodian !== undefined && calling !== undefined && organisationKey(custodian) === organisationKey(calling)) return true;
    return this.isAuthor(tx, entry, caller);
  }

  private async isAuthor(tx: EdgeTx, { type, id }: ResourceVersion, caller: FhirCaller): Promise<boolean> {
    const query = parseSearch('Provenance', [['target', `${type}/${id}`]], { ...indexOptions(this.parts), defaultCount: 50 });
    const { resources } = await tx.resources.search(query);
    return resources.some(({ text }) => authors(treeOf(text)).includes(caller.reader.professional));
  }
}

function authors({ agent }: FhirObject): readonly string[] {
  const agents: readonly FhirValue[] = Array.isArray(agent) ? agent : [];
  return agents.flatMap((one) => {
    const who = isFhirObject(one) ? one['who'] : undefined;
    const identifier = isFhirObject(who) ? who['identifier'] : undefined;
    if (!isFhirObject(identifier)) return [];
    const { system, value } = identifier;
    return typeof system === 'string' && typeof value === 'string' ? [`${system}|${value}`] : [];
  });
}

/** The change was made for the version that stands, and moves the entry to nobody else. */
function demandCurrent({ resource, ifMatch }: Correction, before: ResourceVersion): void {
  const wanted = ifMatch?.replace(/^W\//, '').replaceAll('"', '');
  if (wanted !== undefined && wanted !== String(before.versionId))
    throw new PortolanError('fhir.version-conflict', `${before.type} resource`);
  const changed = changedElements(treeOf(before.text), resource);
  if (changed.includes('subject') || changed.includes('patient')) {
    throw new PortolanError('fhir.parameter-invalid', 'Parameters.resource', 'a correction leaves the entry with its person');
  }
}

/** Version and time are the store's to give. */
function withoutVersion(resource: FhirObject): FhirObject {
  const { meta, ...elements } = resource;
  if (!isFhirObject(meta)) return elements;
  const { versionId: _version, lastUpdated: _time, ...kept } = meta;
  return Object.keys(kept).length === 0 ? elements : { ...elements, meta: kept };
}
