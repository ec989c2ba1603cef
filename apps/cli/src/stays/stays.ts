import { readNodeConfig } from '@portolan/nest/config';
import { findConfig } from '../files/find-config.js';
import type { NodeFlags } from '../files/node-options.js';
import type { OperatorApi } from '../operator/operator-api.js';
import { operatorOf } from '../operator/operator-of.js';
import { table } from '../table.js';
import { exits, type Exit, type Terminal } from '../terminal.js';

export interface StaysFlags extends NodeFlags {
  readonly token?: string;
  readonly json: boolean;
}

export interface AnswerFlags extends StaysFlags {
  readonly reason: string;
}

const operator = async (flags: StaysFlags, terminal: Terminal): Promise<OperatorApi> =>
  operatorOf(await readNodeConfig(await findConfig(flags, terminal)), flags.token);

/** `portolan stays list`: through the operator's API of a running node. */
export async function list(flags: StaysFlags, terminal: Terminal): Promise<Exit> {
  const stays = await (await operator(flags, terminal)).stays();
  if (flags.json) terminal.out(JSON.stringify(stays));
  else if (stays.length === 0) terminal.note('no stay waits for an answer');
  else for (const line of table(stays, ['id', 'at', 'custodian', 'source', 'controlId', 'what', 'next'])) terminal.out(line);
  return exits.ok;
}

/** `portolan stays move` and `portolan stays keep`. */
export async function answer(id: string, what: 'move' | 'keep', flags: AnswerFlags, terminal: Terminal): Promise<Exit> {
  await (await operator(flags, terminal)).answerStay(id, what, flags.reason);
  const state = what === 'move' ? 'moved' : 'kept';
  terminal.out(flags.json ? JSON.stringify({ id, state }) : `${state} ${id}`);
  return exits.ok;
}
