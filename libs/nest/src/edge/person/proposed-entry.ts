import type { BusinessIdentifier } from '@portolan/contracts';
import type { EdgeTx, Proposal, ResourceVersion, RoleMessages } from '@portolan/domain';
import { stableUuid } from '@portolan/formats';
import { hexOf } from '@portolan/verify';
import type { EdgeParts } from '../edge.parts.js';
import { sentBy } from '../ingest/sent-by.js';

export type ProposalContent = RoleMessages['proposal.arrived'];

/** Most resources of one person among which a proposal's entry is looked for. */
const MAX_RECORD = 20_000;

type Tools = Pick<EdgeParts, 'country' | 'sha256' | 'sources'>;

/** The entry that a proposal names, among the person's own. */
export interface ProposedEntry {
  readonly entry: ResourceVersion | undefined;
  /** The person's current resources. */
  readonly record: readonly ResourceVersion[];
}

/** `Type/id` under which something of ours was released (libs/domain/src/release/entries.ts). */
export function releasedAs(
  { type, id }: Pick<ResourceVersion, 'type' | 'id'>,
  { country, sha256 }: Pick<Tools, 'country' | 'sha256'>,
): string {
  return `${type}/${stableUuid((bytes) => hexOf(sha256(bytes)), [country.code, `${type}/${id}`])}`;
}

/** The entry is named in the proposal by the id under which it was released. */
export async function proposedEntry(tx: EdgeTx, { person, body }: Proposal, tools: Tools): Promise<ProposedEntry> {
  const record = await tx.resources.ofPerson(person, 'all', MAX_RECORD);
  const wanted = (body as ProposalContent).items.map((item) => `${item.type}/${item.id}`);
  return { entry: record.find((one) => wanted.includes(releasedAs(one, tools))), record };
}

/** The organisation that sent the entry; what no registered source sent belongs to the country's own custodian. */
export async function custodianOf(
  tx: EdgeTx,
  entry: Pick<ResourceVersion, 'type' | 'id'>,
  { country, sources }: Tools,
): Promise<Pick<BusinessIdentifier, 'system' | 'value'>> {
  return (await sentBy(tx, entry, sources)) ?? country.custodian.identifier;
}

/** An organisation as proposals are listed by it. */
export const organisationKey = ({ system, value }: Pick<BusinessIdentifier, 'system' | 'value'>): string => `${system}|${value}`;
