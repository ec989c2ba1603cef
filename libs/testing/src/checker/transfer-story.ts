import type { Country } from './checked-world.js';
import type { AnchoredStep, LedgerFacts } from './ledger-facts.js';

export interface TransferRow {
  readonly transfer_id: string;
  readonly side: 'asker' | 'custodian';
  readonly kind: 'match' | 'record';
  readonly partner: string;
  readonly state: string;
  readonly permit_id: string | null;
  readonly key_id: string;
  readonly data: Buffer;
}
export interface ViewRow {
  readonly id: string;
  readonly transfer_id: string;
  readonly permit_id: string;
  readonly custodian: string;
  readonly state: string;
  readonly key_id: string;
}
/** Members of a transfer's data, as both sides name them. */
export interface TransferData {
  readonly counterReceipt?: string | null;
  readonly leaf?: string;
  readonly sealed?: { readonly hashes: readonly string[] } | null;
}
/** Everything about one transfer, from all places. */
export interface Story {
  readonly id: string;
  readonly asker: { readonly country: Country; readonly row: TransferRow };
  readonly custodian: { readonly country: Country; readonly row: TransferRow } | undefined;
  readonly steps: ReadonlyMap<string, AnchoredStep>;
  readonly view: ViewRow | undefined;
}

/** The story of each transfer that somebody asked for. */
export function storiesOf(countries: readonly Country[], facts: LedgerFacts): Story[] {
  const steps = Map.groupBy(facts.steps, ({ leaf }) => leaf.transferId);
  const custodians = new Map(
    countries.flatMap((country) =>
      transfersOf(country, 'custodian').map((row) => [`${country.code} ${row.transfer_id}`, { country, row }] as const),
    ),
  );
  return countries.flatMap((country) => {
    const views = new Map(country.rows<ViewRow>('edge.view').map((view) => [view.transfer_id, view]));
    return transfersOf(country, 'asker').map((row) => ({
      id: row.transfer_id,
      asker: { country, row },
      custodian: custodians.get(`${row.partner} ${row.transfer_id}`),
      steps: new Map((steps.get(row.transfer_id) ?? []).map((step) => [step.leaf.step, step])),
      view: views.get(row.transfer_id),
    }));
  });
}

export const transfersOf = (country: Country, side: TransferRow['side']): TransferRow[] =>
  country.rows<TransferRow>('exchange.transfer').filter((row) => row.side === side);

/** What a side's exchange gathered about a transfer, decrypted. */
export function dataOf({ country, row }: { country: Country; row: TransferRow }): TransferData | undefined {
  return country.json<TransferData>('exchange', 'transfer', { id: row.transfer_id, key_id: row.key_id, body: row.data });
}
