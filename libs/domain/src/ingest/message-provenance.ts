import type { BusinessIdentifier, CountryCode, Instant, Uuid } from '@portolan/contracts';
import { toFhirJson, type FhirObject, type SourceAuthor } from '@portolan/formats';

/** Identifier system under which a message is named in Provenance: its value is our own id of the message. */
export const MESSAGE_SYSTEM = 'urn:portolan:message';

/** Identifier system under which a foreign FHIR document is named by its own id. */
export const FOREIGN_DOCUMENT_SYSTEM = 'urn:portolan:foreign-document';

export interface MessageFacts {
  /** Of the Provenance, where it is not the message's. */
  readonly id?: Uuid;
  readonly messageId: Uuid;
  readonly recorded: Instant;
  /** `Type/id/_history/version` of everything that the message says. */
  readonly targets: readonly string[];
  readonly organisation: BusinessIdentifier & { readonly name: string };
  readonly country: CountryCode;
  /** SHA-256 of rules and concept maps in force. */
  readonly mapVersion: string;
  /** Of a foreign FHIR document: its own id, and who made it as far as it says. */
  readonly foreign?: { readonly id: string; readonly authors: readonly SourceAuthor[] };
}

const PARTICIPANT = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type';
const participant = (code: string): { coding: { system: string; code: string }[] } => ({ coding: [{ system: PARTICIPANT, code }] });

/**
 * FHIR R4 Provenance of what one message said: the organisation that sent it, the node that translated it, the message itself as the
 * source; of a document from abroad also that document and who made it. Where each element came from stands in the message's account.
 */
export function messageProvenance({
  messageId,
  id = messageId,
  recorded,
  targets,
  organisation,
  country,
  mapVersion,
  foreign,
}: MessageFacts): string {
  return toFhirJson({
    resourceType: 'Provenance',
    id,
    target: targets.map((reference) => ({ reference })),
    recorded,
    activity: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation', code: 'CREATE' }] },
    agent: [
      {
        type: participant('author'),
        who: { identifier: { system: organisation.system, value: organisation.value }, display: organisation.name },
      },
      {
        type: participant('assembler'),
        who: {
          identifier: { system: 'urn:portolan:node', value: country },
          display: `Portolan node ${country}, maps ${mapVersion.slice(0, 12)}`,
        },
      },
      ...(foreign?.authors ?? []).map(authorOf),
    ],
    entity: [
      { role: 'source', what: { identifier: { system: MESSAGE_SYSTEM, value: messageId } } },
      ...(foreign === undefined ? [] : [{ role: 'source', what: { identifier: { system: FOREIGN_DOCUMENT_SYSTEM, value: foreign.id } } }]),
    ],
  });
}

const authorOf = ({ name, identifier }: SourceAuthor): FhirObject => ({
  type: participant('author'),
  who: { ...(identifier !== undefined && { identifier: { ...identifier } }), ...(name !== undefined && { display: name }) },
});
