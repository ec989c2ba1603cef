import { Inject, Injectable } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import {
  isRefused,
  spendStatement,
  toFhirJson,
  treeOf,
  type Act,
  type AuditAct,
  type EdgeTx,
  type FhirObject,
  type Proposal,
  type ResourceVersion,
} from '@portolan/domain';
import type { CallHeaders } from '../access.js';
import { EdgeParts } from '../edge.parts.js';
import { Accesses, actOf } from '../fhir/accesses.js';
import { callingOrganisation, demandOrganisation } from '../fhir/calling-organisation.js';
import { fileEntry, fileProvenance, type IdentifiedResource } from '../fhir/entries.js';
import { actingCaller, demandPerson, isStated, mayAct, type FhirCaller } from '../fhir/fhir-caller.js';
import { recordLocalAct } from '../local-acts.js';
import { namedInEntry } from './named-in-entry.js';
import { permittedProposal } from './proposals.js';
import { custodianOf, organisationKey, proposedEntry, releasedAs, type ProposalContent } from './proposed-entry.js';
import { proposedVersion, type ProposedVersion } from './proposed-version.js';
import { placeAfter } from './request.js';
import { demandNext, tellReceivers } from './tell-receivers.js';

/** A proposed change as the entry's custodian sees it. */
export interface CustodianProposal {
  readonly id: string;
  readonly at: string;
  readonly actor?: ProposalContent['actor'];
  readonly reason?: string;
  /** `Type/id/_history/version` as it stands. */
  readonly entry: string;
  /** Names of the top-level elements that would change. */
  readonly changed: readonly string[];
  /** FHIR JSON text of the entry as it would become. */
  readonly proposed: string;
}

/** A proposed change that waits for its custodian: by whom, why, and to what kind of entry. What it would change is shown one by one. */
export interface WaitingProposal {
  readonly id: string;
  readonly at: string;
  readonly types: readonly string[];
  readonly actor?: ProposalContent['actor'];
  readonly reason?: string;
}

export interface WaitingProposals {
  readonly proposals: readonly WaitingProposal[];
  /** Where to go on; absent after the last. */
  readonly next?: string;
}

/** Proposals in one answer. */
const PAGE = 50;

export interface CustodianAnswer {
  readonly state: 'accepted' | 'declined';
  /** The entry's new version, where there is one. */
  readonly version?: number;
}

interface Found {
  readonly proposal: Proposal & { readonly body: ProposalContent };
  readonly entry: ResourceVersion;
  /** The person's current resources, and whom the entry names. */
  readonly record: readonly ResourceVersion[];
  /** `Type/id` of what was released → `Type/id` here. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * Only an entry's custodian, the organisation whose message it came by, answers a proposed change, and only after the person permitted
 * it (design, invariant 7). What it accepts becomes a new version with reason and diff.
 */
@Injectable()
export class Custody {
  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  /**
   * What waits for the caller's organisation, oldest first: permitted by its person, answered by nobody yet. Each person concerned is told
   * of the look. One of a person, or of a kind of entry, that this caller may not see is not there.
   */
  async waiting(headers: CallHeaders, after: unknown): Promise<WaitingProposals> {
    const caller = await actingCaller(headers, this.parts);
    const calling = demandOrganisation(caller, this.parts);
    const place = placeAfter(after);
    return this.parts.uow.run(async (tx) => {
      const page = await tx.proposals.waitingFor(organisationKey(calling), place, PAGE);
      const accesses = new Accesses(tx, this.parts, caller);
      const proposals: WaitingProposal[] = [];
      for (const proposal of page) {
        if (!(await this.mayList(tx, proposal, caller))) continue;
        const shown = waitingOf(proposal);
        await accesses.person(proposal.person, shown.types);
        proposals.push(shown);
      }
      await accesses.record('record-searched');
      const last = page.length === PAGE ? page.at(-1)?.id : undefined;
      return { proposals, ...(last === undefined ? {} : { next: last }) };
    });
  }

  async show(headers: CallHeaders, id: string): Promise<CustodianProposal> {
    const caller = await actingCaller(headers, this.parts);
    return this.parts.uow.run(async (tx) => {
      const found = await this.find(tx, id, caller, 'r');
      const { proposal, entry } = found;
      const { resource, changed } = proposedOf(found);
      await this.record(tx, found, caller, 'record-read');
      const { actor, reason } = proposal.body;
      const said = { ...(actor === undefined ? {} : { actor }), ...(reason === undefined ? {} : { reason }) };
      const place = `${entry.type}/${entry.id}/_history/${entry.versionId}`;
      return { id, at: proposal.at, ...said, entry: place, changed, proposed: toFhirJson(resource) };
    });
  }

  async accept(headers: CallHeaders, id: string, reason: string): Promise<CustodianAnswer> {
    const caller = await actingCaller(headers, this.parts);
    return this.parts.uow.run(async (tx) => {
      await spendStatement(tx, caller.acting);
      const found = await this.find(tx, id, caller, 'u');
      const next = proposedOf(found);
      this.demandValid(next);
      await this.answer(tx, found, 'accepted', caller, reason);
      return { state: 'accepted', version: await this.supersede(tx, found, next, caller, reason) };
    });
  }

  async decline(headers: CallHeaders, id: string, reason: string): Promise<CustodianAnswer> {
    const caller = await actingCaller(headers, this.parts);
    return this.parts.uow.run(async (tx) => {
      await spendStatement(tx, caller.acting);
      await this.answer(tx, await this.find(tx, id, caller, 'u'), 'declined', caller, reason);
      return { state: 'declined' };
    });
  }

  private async mayList(tx: EdgeTx, { person, body }: Proposal, caller: FhirCaller): Promise<boolean> {
    // Her key was destroyed meanwhile.
    if (body === undefined) return false;
    const { identifiers = [] } = (await tx.persons.get(person)) ?? {};
    return isStated(caller, identifiers) && typesOf(body as ProposalContent).every((type) => mayAct(caller, [type, 'r']));
  }

  private async find(tx: EdgeTx, id: string, caller: FhirCaller, act: 'r' | 'u'): Promise<Found> {
    const proposal = await permittedProposal(tx, id);
    const { entry, record } = await proposedEntry(tx, proposal, this.parts);
    if (entry === undefined) throw new PortolanError('person.proposal-unusable', 'the proposal', 'an entry that is not there');
    if (!mayAct(caller, [entry.type, act])) throw new PortolanError('fhir.scope-missing', 'access token', `${entry.type}.${act}`);
    demandPerson(caller, (await tx.persons.get(proposal.person))?.identifiers ?? []);
    await this.demandCustodian(tx, entry, caller);
    const crossing = [...record, ...(await namedInEntry(tx, entry))];
    const sources = new Map(crossing.map((one) => [releasedAs(one, this.parts), `${one.type}/${one.id}`]));
    return { proposal, entry, record: crossing, sources };
  }

  private async demandCustodian(tx: EdgeTx, entry: ResourceVersion, caller: FhirCaller): Promise<void> {
    const { system, value } = await custodianOf(tx, entry, this.parts);
    const calling = callingOrganisation(caller, this.parts);
    if (calling?.system !== system || calling.value !== value) throw new PortolanError('person.not-custodian', 'the calling system');
  }

  private demandValid({ resource }: ProposedVersion): void {
    const issues = this.parts.fhirValidator.validate(resource);
    const first = issues.find(({ severity }) => severity === 'fatal' || severity === 'error');
    if (isRefused(issues)) throw new PortolanError('person.proposal-unusable', 'the proposal', first?.path);
  }

  private async answer(tx: EdgeTx, found: Found, to: CustodianAnswer['state'], caller: FhirCaller, reason: string): Promise<void> {
    const { proposal } = found;
    if (!(await tx.proposals.advance(proposal.id, 'permitted', to))) throw new PortolanError('person.proposal-answered', 'the address');
    const also = { reason: `${to} by the custodian: ${reason}`, transferId: proposal.body.transferId };
    await this.record(tx, found, caller, 'change-answered', also);
  }

  /** The new version, its Provenance with reason and diff, and word to whoever received the entry. */
  private async supersede(tx: EdgeTx, found: Found, next: ProposedVersion, caller: FhirCaller, reason: string): Promise<number> {
    const { proposal, entry } = found;
    const { person } = proposal;
    const { type, id, messageId } = entry;
    const { versionId, changed } = await fileEntry(tx, next.resource as IdentifiedResource, { person, messageId }, this.parts);
    demandNext(entry, versionId, changed);
    const entity: readonly FhirObject[] = [
      { role: 'revision', what: { reference: `${type}/${id}/_history/${entry.versionId}` } },
      { role: 'source', what: { identifier: { system: 'urn:portolan:proposal', value: proposal.id } } },
    ];
    const facts = { target: `${type}/${id}/_history/${versionId}`, activity: 'UPDATE', reason, entity, changed: next.changed } as const;
    await fileProvenance(tx, facts, person, caller, this.parts);
    await tellReceivers(tx, { person, type, id, reason }, this.parts.random);
    await this.record(tx, found, caller, 'entry-corrected', { reason });
    return versionId;
  }

  private async record(tx: EdgeTx, { proposal, entry }: Found, caller: FhirCaller, act: AuditAct, also: Partial<Act> = {}): Promise<void> {
    const { person } = proposal;
    const facts = actOf(act, caller, this.parts, { items: [`${entry.type}/${entry.id}`], ...also });
    await recordLocalAct(tx, this.parts.random, facts, { person, keyId: await tx.keys.forPerson(person) });
  }
}

function proposedOf({ proposal, entry, record, sources }: Found): ProposedVersion {
  const trees = record.map(({ text }) => treeOf(text));
  return proposedVersion({ entry: treeOf(entry.text), record: trees, proposal: proposal.body.proposal, sources });
}

const typesOf = ({ items }: ProposalContent): string[] => [...new Set(items.map(({ type }) => type))];

function waitingOf({ id, at, body }: Proposal): WaitingProposal {
  const content = body as ProposalContent;
  const { actor, reason } = content;
  return { id, at, types: typesOf(content), ...(actor === undefined ? {} : { actor }), ...(reason === undefined ? {} : { reason }) };
}
