import { Inject, Injectable } from '@nestjs/common';
import { PortolanError, type DisputeBody } from '@portolan/contracts';
import {
  DISPUTE_EXTENSION,
  instant,
  isFhirObject,
  localReference,
  treeOf,
  type EdgeTx,
  type FhirObject,
  type ResourceVersion,
} from '@portolan/domain';
import { EdgeParts } from '../edge.parts.js';
import { fileEntry, type IdentifiedResource } from '../fhir/entries.js';
import { recordLocalAct } from '../local-acts.js';
import { PersonAccess, type Herself } from './herself.js';
import { demandNext, tellReceivers } from './tell-receivers.js';

export interface Disputed {
  /** Id of the Communication that holds her words. */
  readonly disputeId: string;
  /** The entry's version that says it is disputed. */
  readonly version: number;
}

/**
 * A person disputes an entry (design, invariant 7): the entry gets a version that says so, which travels wherever the entry travels;
 * what she says about it is kept as a Communication, which never crosses.
 */
@Injectable()
export class Disputes {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(PersonAccess) private readonly access: PersonAccess,
  ) {}

  /** Throws `person.entry-unknown`, also for an entry of somebody else. */
  file(herself: Herself, { resource, text }: DisputeBody): Promise<Disputed> {
    const { uow, clock, random } = this.parts;
    const { id: person } = herself.person;
    return uow.run(async (tx) => {
      const entry = await ownEntry(tx, herself, resource);
      const sent = instant(clock.now());
      const tree = treeOf(entry.text) as IdentifiedResource;
      const belonging = { person, messageId: entry.messageId };
      const { versionId: version, changed } = await fileEntry(tx, disputed(tree, sent.slice(0, 10)), belonging, this.parts);
      demandNext(entry, version, changed);
      const disputeId = random.uuid();
      const words = communication({ id: disputeId, about: `${resource}/_history/${version}`, herself: subjectOf(tree), text, sent });
      await fileEntry(tx, words, { person }, this.parts);
      if (changed) await tellReceivers(tx, { person, type: entry.type, id: entry.id, reason: 'disputed by the person' }, random);
      const act = this.access.act('entry-disputed', herself, { items: [resource], categories: entry.categories });
      await recordLocalAct(tx, random, act, { person, keyId: await tx.keys.forPerson(person) });
      return { disputeId, version };
    });
  }
}

async function ownEntry(tx: EdgeTx, { person }: Herself, reference: string): Promise<ResourceVersion> {
  const { type = '', id = '' } = localReference(reference) ?? {};
  const entry = await tx.resources.get(type, id);
  if (entry?.person !== person.id || entry.deleted) throw new PortolanError('person.entry-unknown', '/resource');
  return entry;
}

/** The entry with the mark of a dispute, in place of an earlier one. */
export function disputed(entry: IdentifiedResource, date: string): IdentifiedResource {
  const extensions = Array.isArray(entry['extension']) ? entry['extension'].filter(isFhirObject) : [];
  const others = extensions.filter(({ url }) => url !== DISPUTE_EXTENSION);
  return { ...entry, extension: [...others, { url: DISPUTE_EXTENSION, valueDate: date }] };
}

/** Reference to the Patient whom an entry is about. */
function subjectOf({ subject, patient }: FhirObject): FhirObject | undefined {
  const reference = subject ?? patient;
  return reference !== undefined && isFhirObject(reference) ? reference : undefined;
}

interface Words {
  readonly id: string;
  /** Version that she speaks of. */
  readonly about: string;
  readonly herself: FhirObject | undefined;
  readonly text: string;
  readonly sent: string;
}

/** FHIR R4 Communication: what she says, about which version. */
function communication({ id, about, herself, text, sent }: Words): IdentifiedResource {
  return {
    resourceType: 'Communication',
    id,
    status: 'completed',
    category: [{ coding: [{ system: 'urn:portolan:communication', code: 'dispute' }] }],
    ...(herself === undefined ? {} : { subject: herself, sender: herself }),
    about: [{ reference: about }],
    sent,
    payload: [{ contentString: text }],
  };
}
