import type { OperatorFlags } from '../files/node-options.js';
import { operatorAt } from '../operator/operator-of.js';
import { table } from '../table.js';
import { exits, type Exit, type Terminal } from '../terminal.js';

export interface AnswerFlags extends OperatorFlags {
  readonly reason: string;
}

/** `portolan stays list`: through the operator's API of a running node. */
export async function list(flags: OperatorFlags, terminal: Terminal): Promise<Exit> {
  const stays = await (await operatorAt(flags, terminal)).stays();
  if (flags.json) terminal.out(JSON.stringify(stays));
  else if (stays.length === 0) terminal.note('no stay waits for an answer');
  else for (const line of table(stays, ['id', 'at', 'custodian', 'source', 'controlId', 'what', 'next'])) terminal.out(line);
  return exits.ok;
}

/** `portolan stays move` and `portolan stays keep`. */
export async function answer(id: string, what: 'move' | 'keep', flags: AnswerFlags, terminal: Terminal): Promise<Exit> {
  await (await operatorAt(flags, terminal)).answerStay(id, what, flags.reason);
  const state = what === 'move' ? 'moved' : 'kept';
  terminal.out(flags.json ? JSON.stringify({ id, state }) : `${state} ${id}`);
  return exits.ok;
}
