import { PortolanError } from '@portolan/contracts';
import type { StatementStore } from '../store/role-tx.port.js';
import type { ActingProfessional } from './token.port.js';

/**
 * Uses up the statement under which somebody acts, in the transaction of the act: one statement is good for one act that crosses a border
 * or changes something, and for any number of reads. Where the token itself names the professional there is none to use up: a bearer token is
 * made for many calls (RFC 6750). Throws `access.assertion-used`.
 */
export async function spendStatement(
  tx: { readonly statements: StatementStore },
  { statement }: Pick<ActingProfessional, 'statement'>,
): Promise<void> {
  if (statement !== undefined && !(await tx.statements.first(statement))) throw new PortolanError('access.assertion-used', 'jti');
}
