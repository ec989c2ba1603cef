import {
  categoriesOf,
  instant,
  searchValues,
  toFhirJson,
  treeOf,
  type EdgeTx,
  type FhirObject,
  type PersonId,
  type ResourceVersion,
} from '@portolan/domain';
import { sha256Hex } from '@portolan/verify';
import type { EdgeParts } from '../edge.parts.js';
import { judgeAgain } from '../reconciliation/proposals.js';
import type { FhirCaller } from './fhir-caller.js';
import { indexOptions } from './index-options.js';

/** A resource that has its id. */
export type IdentifiedResource = FhirObject & { resourceType: string; id: string };

/** Whose entry it is, and the message that its first version came in, where one did. */
export interface Belonging {
  readonly person: PersonId;
  readonly messageId?: string | undefined;
}

/** An entry as it stands now; `changed` is false where it stood so before. */
export type Filed = ResourceVersion & { readonly changed: boolean };

/** Files what a professional wrote or took over; the same content again makes no new version. */
export async function fileEntry(
  tx: EdgeTx,
  resource: IdentifiedResource,
  { person, messageId }: Belonging,
  parts: EdgeParts,
): Promise<Filed> {
  const text = toFhirJson(resource);
  const tree = treeOf(text) as IdentifiedResource;
  const entry = {
    type: resource.resourceType,
    id: resource.id,
    lastUpdated: instant(parts.clock.now()),
    person,
    keyId: await tx.keys.forPerson(person),
    categories: categoriesOf(tree),
    messageId,
    sha256: sha256Hex(text, parts.sha256),
    deleted: false,
    text,
  };
  const put = await tx.resources.put(entry, searchValues(tree, indexOptions(parts)));
  // What a source sent before somebody wrote this, and comes later, does not replace it.
  if (put.changed) await tx.resources.setAge(entry.type, entry.id, { content: undefined, sent: entry.lastUpdated });
  if (put.changed && put.versionId > 1) await judgeAgain(tx, [`${entry.type}/${entry.id}`]);
  return { ...entry, ...put };
}

/** What a Provenance says of a filed entry (R4 §Provenance). */
export interface ProvenanceFacts {
  /** `Type/id/_history/version`. */
  readonly target: string;
  /** v3-DataOperation code: CREATE, UPDATE. */
  readonly activity: 'CREATE' | 'UPDATE';
  readonly reason: string;
  readonly entity: readonly FhirObject[];
  /** Names of the elements that changed. */
  readonly changed?: readonly string[];
}

/** Files the Provenance of an entry: who, for which organisation, why, from what. */
export async function fileProvenance(
  tx: EdgeTx,
  facts: ProvenanceFacts,
  person: PersonId,
  caller: FhirCaller,
  parts: EdgeParts,
): Promise<void> {
  const { actor } = caller.acting;
  const extension = (facts.changed ?? []).map((name) => ({ url: 'urn:portolan:changed-element', valueString: name }));
  const provenance: IdentifiedResource = {
    resourceType: 'Provenance',
    id: parts.random.uuid(),
    ...(extension.length === 0 ? {} : { extension }),
    target: [{ reference: facts.target }],
    recorded: instant(parts.clock.now()),
    reason: [{ text: facts.reason }],
    activity: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation', code: facts.activity }] },
    agent: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'author' }] },
        who: { identifier: { ...actor.id }, display: actor.name },
        onBehalfOf: { identifier: { ...actor.organisation.id }, display: actor.organisation.name },
      },
    ],
    entity: [...facts.entity],
  };
  await fileEntry(tx, provenance, { person }, parts);
}
