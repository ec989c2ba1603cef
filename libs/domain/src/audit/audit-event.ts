import type { Actor, CountryCode, Instant, Purpose, Uuid } from '@portolan/contracts';
import { canonicalJson } from '@portolan/contracts';
import { auditActs, type AuditAct } from './audit-acts.js';

/** Everything one audited act tells; filled on the way, written once, for success and failure alike. */
export interface AuditFacts {
  readonly id: Uuid;
  readonly act: AuditAct;
  readonly recorded: Instant;
  readonly outcome: 'success' | 'refused' | 'failed';
  /** Registry code or denial reason of what did not succeed. */
  readonly reason?: string;
  readonly actor: Actor;
  /** The node that records the event. */
  readonly country: CountryCode;
  readonly partner?: CountryCode;
  readonly purpose?: Purpose;
  /** The person's local id; shown only inside the country that holds the event. */
  readonly person?: string;
  readonly transferId?: Uuid;
  readonly permitId?: Uuid;
  /** FHIR references `Type/id` that were touched. */
  readonly items?: readonly string[];
  /** In which form the items were given, where it was not FHIR: hl7v2, cda. */
  readonly form?: string;
  /** Services that were asked for records at that time, with the SHA-256 of each answer's exact bytes. */
  readonly fetched?: readonly { readonly source: string; readonly time: Instant; readonly answer: string }[];
  /** Data categories concerned. */
  readonly categories?: readonly string[];
  /** The emergency in which this was done while the channel could not be reached. */
  readonly late?: Uuid;
}

const DICOM = 'http://dicom.nema.org/resources/ontology/DCM';
const PURPOSE = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const ENTITY = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const PORTOLAN = 'urn:portolan:audit';

/**
 * FHIR R4 AuditEvent as canonical JSON text, shaped after IHE Basic Audit Log Patterns 1.1 (agents: who acted and for which
 * organisation, the two nodes; entities: person, transaction, items). A refusal is the base AuditEvent with its outcome.
 */
export function auditEvent(facts: AuditFacts): string {
  const act = auditActs[facts.act];
  return canonicalJson({
    resourceType: 'AuditEvent',
    id: facts.id,
    type: { system: DICOM, code: act.dicom, display: act.dicomDisplay },
    subtype: [{ system: PORTOLAN, code: facts.act, display: act.what }],
    action: act.action,
    recorded: facts.recorded,
    outcome: facts.outcome === 'success' ? '0' : facts.outcome === 'refused' ? '4' : '8',
    ...(facts.reason === undefined ? {} : { outcomeDesc: facts.reason }),
    ...(facts.purpose === undefined ? {} : { purposeOfEvent: [{ coding: [{ system: PURPOSE, code: facts.purpose }] }] }),
    agent: agents(facts),
    source: { site: facts.country, observer: { display: `Portolan node ${facts.country}` } },
    entity: entities(facts),
  });
}

function agents(facts: AuditFacts): unknown[] {
  const { actor } = facts;
  const who = {
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
    who: { identifier: actor.id, display: actor.name },
    name: actor.name,
    role: [{ text: actor.role }],
    requestor: true,
  };
  const organisation = {
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleClass', code: 'PROV' }] },
    who: { identifier: actor.organisation.id, display: actor.organisation.name },
    requestor: false,
  };
  const node = (country: CountryCode): unknown => ({
    who: { display: `Portolan node ${country}` },
    requestor: false,
    network: { address: country, type: '5' },
  });
  return [who, organisation, node(facts.country), ...(facts.partner === undefined ? [] : [node(facts.partner)])];
}

function entities(facts: AuditFacts): unknown[] {
  const entity = (code: string, what: unknown, detail?: unknown[]): unknown => ({
    what,
    type: { system: ENTITY, code },
    ...(detail === undefined ? {} : { detail }),
  });
  const transaction = [
    ...(facts.permitId === undefined ? [] : [{ type: 'permit', valueString: facts.permitId }]),
    ...(facts.late === undefined ? [] : [{ type: 'late', valueString: facts.late }]),
    ...(facts.categories ?? []).map((category) => ({ type: 'category', valueString: category })),
  ];
  const form = facts.form === undefined ? undefined : [{ type: 'form', valueString: facts.form }];
  return [
    ...(facts.person === undefined ? [] : [entity('1', { reference: `Patient/${facts.person}` })]),
    ...(facts.transferId === undefined
      ? []
      : [
          entity(
            '2',
            { identifier: { system: 'urn:portolan:transfer', value: facts.transferId } },
            transaction.length === 0 ? undefined : transaction,
          ),
        ]),
    ...(facts.items ?? []).map((reference) => entity('2', { reference }, form)),
    ...(facts.fetched ?? []).map(({ source, time, answer }) =>
      entity('4', { display: `FHIR service ${source}` }, [
        { type: 'fetched', valueString: time },
        { type: 'sha256', valueString: answer },
      ]),
    ),
  ];
}
