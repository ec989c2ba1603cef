import { exchangeRows, type Role } from '@portolan/domain';

/** A step at which a process can be made to end itself: just before its commit, and just after. */
export interface KillPoint {
  readonly step: string;
  readonly role: Role;
  /** Whose process it is. */
  readonly side: 'asker' | 'custodian' | 'both';
}

/**
 * Every row of the pipeline, as the table has them, so that a new row is covered by itself; and the steps of edge and notary that call
 * the checkpoint beside it.
 */
export const killPoints: readonly KillPoint[] = [
  ...exchangeRows.map(({ step, role, side }) => ({ step, role, side })),
  { step: 'view', role: 'edge', side: 'asker' },
  { step: 'anchor', role: 'notary', side: 'both' },
  { step: 'anchored', role: 'notary', side: 'both' },
];

export const seeds = [1, 2, 3, 4, 5] as const;
export type Seed = (typeof seeds)[number];
