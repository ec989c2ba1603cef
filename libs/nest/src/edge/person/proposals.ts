import { Inject, Injectable } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import { isUuid, type EdgeTx, type Proposal } from '@portolan/domain';
import { EdgeParts } from '../edge.parts.js';
import { recordLocalAct } from '../local-acts.js';
import { custodianOf, organisationKey, proposedEntry, type ProposalContent } from './proposed-entry.js';
import { PersonAccess, type Herself } from './herself.js';

/** A proposed change as its person sees it: by whom, why, to what, and the proposed content as FHIR JSON text. */
export interface ShownProposal extends Omit<ProposalContent, 'person'> {
  readonly id: string;
  readonly state: Proposal['state'];
  readonly at: string;
}

const MAX_LISTED = 200;

/** A third party's change needs the person's permission first (design, invariant 7); the custodian answers after her. */
@Injectable()
export class Proposals {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(PersonAccess) private readonly access: PersonAccess,
  ) {}

  /** Newest first. */
  async of({ person }: Herself): Promise<readonly ShownProposal[]> {
    const proposals = await this.parts.uow.alone((tx) => tx.proposals.ofPerson(person.id, MAX_LISTED));
    return proposals.flatMap((one) => (one.body === undefined ? [] : [shown(one)]));
  }

  /** Throws `person.proposal-unknown`, also for somebody else's, and `person.proposal-answered`. */
  answer(herself: Herself, id: string, to: 'permitted' | 'declined'): Promise<{ state: string }> {
    const { person } = herself;
    return this.parts.uow.run(async (tx) => {
      const proposal = await tx.proposals.get(id);
      if (proposal?.person !== person.id || proposal.body === undefined) throw new PortolanError('person.proposal-unknown', 'the address');
      const { entry } = to === 'permitted' ? await proposedEntry(tx, proposal, this.parts) : {};
      const custodian = entry === undefined ? undefined : organisationKey(await custodianOf(tx, entry, this.parts));
      if (!(await tx.proposals.advance(id, 'open', to, custodian))) throw new PortolanError('person.proposal-answered', 'the address');
      const { transferId, items } = proposal.body as ProposalContent;
      const also = { reason: `${to} by the person`, transferId, items: items.map((item) => `${item.type}/${item.id}`) };
      const keyId = await tx.keys.forPerson(person.id);
      await recordLocalAct(tx, this.parts.random, this.access.act('change-answered', herself, also), { person: person.id, keyId });
      return { state: to };
    });
  }
}

function shown({ id, state, at, body }: Proposal): ShownProposal {
  const { person: _person, ...content } = body as ProposalContent;
  return { id, state, at, ...content };
}

/**
 * A proposed change that its person has permitted and nobody has answered since. Throws `person.proposal-unknown`,
 * `person.proposal-not-permitted`, `person.proposal-answered`.
 */
export async function permittedProposal(tx: EdgeTx, id: string): Promise<Proposal & { readonly body: ProposalContent }> {
  const proposal = isUuid(id) ? await tx.proposals.get(id) : undefined;
  if (proposal?.body === undefined) throw new PortolanError('person.proposal-unknown', 'the address');
  if (proposal.state === 'open') throw new PortolanError('person.proposal-not-permitted', 'the address');
  if (proposal.state !== 'permitted') throw new PortolanError('person.proposal-answered', 'the address');
  return { ...proposal, body: proposal.body as ProposalContent };
}
