import { PortolanError } from '@portolan/contracts';
import { Inject, Injectable } from '@nestjs/common';
import {
  adoptedResource,
  allOk,
  fromReadersWords,
  isAdoptable,
  isFhirObject,
  noticeItems,
  spendStatement,
  toFhirJson,
  treeOf,
  viewItems,
  withVersion,
  type EdgeTx,
  type FhirObject,
  type LocalReference,
  type ViewItem,
} from '@portolan/domain';
import { hexOf } from '@portolan/verify';
import { EdgeParts } from '../edge.parts.js';
import { recordLocalAct } from '../local-acts.js';
import { organisationKey } from '../person/proposed-entry.js';
import { proposeRepeats } from '../reconciliation/proposals.js';
import { actOf } from './accesses.js';
import { callingOrganisation } from './calling-organisation.js';
import { fileEntry, fileProvenance, type IdentifiedResource } from './entries.js';
import { demandValid, parametersIn, type FhirAnswer, type FhirCall } from './fhir-call.js';
import { fhirCaller, mayAct, type FhirCaller } from './fhir-caller.js';
import { ForeignViews, type ReadableView } from './foreign-views.js';
import { indexOptions } from './index-options.js';
import { reasonOf } from './operation-inputs.js';
import { localPerson } from './patient-links.js';
import { readersWords } from './readers-words.js';

const MAX_PROPOSAL_CHARS = 200_000;

interface Found {
  readonly readable: ReadableView;
  readonly item: ViewItem;
}

/** What a clinician does with single items of a foreign record: takes one over (invariant 9), or proposes a change to its custodian (7). */
@Injectable()
export class ForeignItems {
  private readonly foreign: ForeignViews;

  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {
    this.foreign = new ForeignViews(parts, indexOptions(parts));
  }

  async adopt(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts);
    const parameters = parametersIn(call, this.parts);
    const [item, patient, reason] = [parameters.reference('item'), parameters.reference('patient'), reasonOf(parameters)];
    this.demandScope(caller, item, 'c');
    if (!isAdoptable(item.type)) throw new PortolanError('fhir.not-adoptable', 'Parameters.item');
    return this.parts.uow.run(async (tx) => {
      await spendStatement(tx, caller.acting);
      return this.file(tx, await this.find(tx, item, caller), patient, reason, caller);
    });
  }

  async propose(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts);
    const parameters = parametersIn(call, this.parts);
    const [item, resource, reason] = [parameters.reference('item'), parameters.resource('resource'), reasonOf(parameters)];
    this.demandScope(caller, item, 'u');
    if (resource.resourceType !== item.type || resource['id'] !== item.id) {
      throw new PortolanError('fhir.parameter-invalid', 'Parameters.resource', 'the item itself is expected, changed');
    }
    if (toFhirJson(resource).length > MAX_PROPOSAL_CHARS) throw new PortolanError('fhir.body-too-large', 'Parameters.resource');
    await this.parts.uow.run(async (tx) => {
      await spendStatement(tx, caller.acting);
      const { readable, item: shown } = await this.find(tx, item, caller);
      const proposal = toFhirJson(fromReadersWords(resource, treeOf(shown.text), readersWords(this.parts)));
      await recordLocalAct(tx, this.parts.random, this.act('change-proposed', readable, item, reason, caller), {
        person: undefined,
        keyId: readable.keyId,
      });
      await this.foreign.notify(tx, readable, { kind: 'proposal', items: noticeItems([item], 'proposed'), reason, proposal }, caller);
    });
    return { status: 202, text: JSON.stringify(allOk()) };
  }

  private async find(tx: EdgeTx, { type, id }: LocalReference, caller: FhirCaller): Promise<Found> {
    for (const readable of await this.foreign.showing(tx, type, id, caller)) {
      const item = viewItems([readable]).find((one) => one.type === type && one.id === id);
      if (item !== undefined) return { readable, item };
    }
    throw new PortolanError('fhir.not-found', `${type} resource`);
  }

  private async file(
    tx: EdgeTx,
    { readable, item }: Found,
    patient: LocalReference,
    reason: string,
    caller: FhirCaller,
  ): Promise<FhirAnswer> {
    const { view, keyId } = readable;
    const person = await localPerson(tx, patient);
    const link = await tx.links.get(view.patientHandle);
    if (link?.local !== person) throw new PortolanError('fhir.patient-not-linked', 'Parameters.patient');
    const id = this.parts.random.uuid();
    const resource = this.copyOf(readable, item, id, `Patient/${patient.id}`);
    demandValid(resource, this.parts.fhirValidator);
    const { versionId, text, lastUpdated } = await fileEntry(tx, resource, { person }, this.parts);
    const target = `${item.type}/${id}/_history/${versionId}`;
    await fileProvenance(tx, { target, activity: 'CREATE', reason, entity: sources(item, view.transferId) }, person, caller, this.parts);
    const custodian = organisationKey(callingOrganisation(caller, this.parts) ?? this.parts.country.custodian.identifier);
    const newcomers = { person, come: [`${item.type}/${id}`], custodian, at: lastUpdated };
    await proposeRepeats(tx, newcomers, (bytes) => hexOf(this.parts.sha256(bytes)));
    const act = this.act('item-adopted', readable, { type: item.type, id }, reason, caller);
    await recordLocalAct(tx, this.parts.random, act, { person, keyId: await tx.keys.forPerson(person) });
    await this.foreign.notify(tx, { ...readable, keyId }, { kind: 'adopted', items: noticeItems([item], 'adopted'), reason }, caller);
    const headers = { location: `${this.parts.fhirBase}/${target}`, etag: `W/"${versionId}"` };
    return { status: 201, text: withVersion(text, versionId, lastUpdated), headers };
  }

  private copyOf({ view, resources }: ReadableView, item: ViewItem, id: string, local: string): IdentifiedResource {
    const find = (key: string): FhirObject | undefined => {
      const found = resources.find((one) => `${one.type}/${one.id}` === key);
      return found === undefined ? undefined : treeOf(found.text);
    };
    return adoptedResource({ item: treeOf(item.text), id, foreign: `Patient/${view.patientHandle}`, local, find });
  }

  private act(
    act: 'item-adopted' | 'change-proposed',
    { view }: ReadableView,
    { type, id }: LocalReference,
    reason: string,
    caller: FhirCaller,
  ): ReturnType<typeof actOf> {
    const { custodian: partner, transferId, permitId } = view;
    return actOf(act, caller, this.parts, { partner, transferId, permitId, reason, items: [`${type}/${id}`] });
  }

  private demandScope(caller: FhirCaller, { type }: LocalReference, act: 'c' | 'u'): void {
    if (!mayAct(caller, [type, act])) throw new PortolanError('fhir.scope-missing', 'access token', `${type}.${act}`);
  }
}

/** Where an adopted item comes from: the transfer, and the version of the entry that crossed in it. */
function sources({ id, text }: ViewItem, transferId: string): readonly FhirObject[] {
  const meta = treeOf(text)['meta'];
  const version: FhirObject =
    isFhirObject(meta) && typeof meta['versionId'] === 'string' ? { display: `version ${meta['versionId']}` } : {};
  return [
    { role: 'derivation', what: { identifier: { system: 'urn:portolan:transfer', value: transferId } } },
    { role: 'source', what: { identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${id}` }, ...version } },
  ];
}
