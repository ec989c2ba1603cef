import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isErrorCode, PortolanError } from '@portolan/contracts';
import type { HealthCheck } from '@portolan/nest';
import type { OperatorFlags } from '../files/node-options.js';
import { readBytes, systemCode } from '../files/read-file.js';
import { table } from '../table.js';
import type { OperatorApi } from '../operator/operator-api.js';
import { operatorAt } from '../operator/operator-of.js';
import { exits, WrongUsage, type Exit, type Terminal } from '../terminal.js';

export interface ReplayFlags extends OperatorFlags {
  readonly list?: true;
  readonly file?: string;
  readonly save?: string;
  readonly discard?: true;
  readonly reason?: string;
  readonly deadLetters?: true;
}

/** Largest message that is replayed: what the edge takes by HTTP. */
const MAX_MESSAGE_BYTES = 10_000_000;

type Act = (operator: OperatorApi, terminal: Terminal) => Promise<Exit>;

/** `portolan replay`: through the operator's API of a running node. */
export async function replay(id: string | undefined, flags: ReplayFlags, terminal: Terminal): Promise<Exit> {
  const act = id === undefined ? listing(flags) : actOn(id, flags);
  return act(await operatorAt(flags, terminal), terminal);
}

function listing(flags: ReplayFlags): Act {
  const wantsId = flags.file ?? flags.save ?? flags.discard;
  if (wantsId !== undefined) throw new WrongUsage('name the reject by its id; --list shows them');
  const list = flags.deadLetters === true ? listDeadLetters : listRejects;
  return (operator, terminal) => list(operator, flags, terminal);
}

function actOn(id: string, flags: ReplayFlags): Act {
  const { list, deadLetters, discard: isDiscarded, reason = '', save: copy } = flags;
  if (list === true) throw new WrongUsage('--list takes no id');
  if (deadLetters === true) return (operator, terminal) => revive(operator, id, terminal);
  if (copy !== undefined) return (operator, terminal) => save(operator, id, copy, terminal);
  if (isDiscarded !== true) return (operator, terminal) => replayReject(operator, id, flags, terminal);
  if (reason.trim() === '') throw new WrongUsage('--discard needs --reason TEXT');
  return (operator, terminal) => discard(operator, id, reason, terminal);
}

async function listRejects(operator: OperatorApi, { json }: ReplayFlags, terminal: Terminal): Promise<Exit> {
  const rejects = await operator.rejects();
  if (json) terminal.out(JSON.stringify(rejects));
  else if (rejects.length === 0) terminal.note('no open rejects');
  else for (const line of table(rejects, ['id', 'at', 'source', 'format', 'code', 'where', 'next'])) terminal.out(line);
  return exits.ok;
}

/** Deliveries that were given up: what a partner wrote into our inbox, and what one role of this node had for another. */
async function listDeadLetters(operator: OperatorApi, { json }: ReplayFlags, terminal: Terminal): Promise<Exit> {
  const { checks } = await operator.health();
  const dead = checks.filter(({ name }) => name === 'dead-letters' || name === 'outbox').flatMap(deadOf);
  if (json) terminal.out(JSON.stringify(dead));
  else if (dead.length === 0) terminal.note('no dead letters');
  else for (const line of table(dead, ['id', 'kind', 'code', 'at'])) terminal.out(line);
  return exits.ok;
}

interface DeadDelivery {
  readonly id: string;
  readonly kind: string;
  readonly code: string;
  readonly at?: string;
}

function deadOf({ facts }: HealthCheck): DeadDelivery[] {
  const rows = facts?.['dead'];
  if (!Array.isArray(rows)) throw new PortolanError('cli.answer-malformed', 'health');
  return (rows as Readonly<Record<string, string | undefined>>[]).map(({ seq, from, id, to, type, code, at }) => {
    const what =
      seq === undefined ? { id: id ?? '', kind: `${type ?? ''} to ${to ?? ''}` } : { id: seq, kind: `envelope from ${from ?? ''}` };
    return { ...what, code: code ?? '', ...(at === undefined ? {} : { at }) };
  });
}

async function revive(operator: OperatorApi, id: string, terminal: Terminal): Promise<Exit> {
  await operator.revive(id);
  terminal.out(`revived ${id}`);
  return exits.ok;
}

async function discard(operator: OperatorApi, id: string, reason: string, terminal: Terminal): Promise<Exit> {
  await operator.discard(id, reason);
  terminal.out(`discarded ${id}`);
  return exits.ok;
}

/** The original holds health data: for its owner alone, and never over another file. */
async function save(operator: OperatorApi, id: string, name: string, terminal: Terminal): Promise<Exit> {
  const original = await operator.original(id);
  await writeFile(resolve(terminal.folder, name), original, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    throw new PortolanError('cli.output-unwritable', name, systemCode(error));
  });
  terminal.out(`saved ${name}`);
  return exits.ok;
}

/** Exit 1 where the message was refused again: it is a reject still, and what is wrong with it is told. */
async function replayReject(operator: OperatorApi, id: string, { file, json }: ReplayFlags, terminal: Terminal): Promise<Exit> {
  const repaired = file === undefined ? undefined : await readBytes(resolve(terminal.folder, file), file, MAX_MESSAGE_BYTES);
  const answer = await operator.replay(id, repaired);
  const problems = 'errors' in answer ? answer.errors : answer.warnings;
  if (json) terminal.out(JSON.stringify(answer));
  else terminal.out('errors' in answer ? `refused again ${id}` : `${answer.state} ${answer.messageId}`);
  for (const { code, where } of problems) terminal.note(problemText(code, where));
  return 'errors' in answer ? exits.failed : exits.ok;
}

const problemText = (code: string, where: string): string =>
  isErrorCode(code) ? new PortolanError(code, where).message : `${code} at ${where}`;
