import { isErrorCode, parseBounded, PortolanError } from '@portolan/contracts';
import type { MappingAnswer, OpenQuestion } from '@portolan/domain';
import type { Health, RejectView, StayView } from '@portolan/nest';

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_CHARS = 30_000_000;

/** A code of the registry and the place in the message that it is about. */
export interface Problem {
  readonly code: string;
  readonly where: string;
}

/** What became of a message that was replayed: filed, perhaps with warnings, or refused once more. */
export type Replayed =
  | { readonly rejectId: string; readonly messageId: string; readonly state: string; readonly warnings: readonly Problem[] }
  | { readonly rejectId: string; readonly state: 'rejected'; readonly errors: readonly Problem[] };

interface Call {
  readonly method: 'GET' | 'POST';
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
}

/** The operator's API of a running node (libs/nest/src/edge/operator), as the operator calls it. */
export class OperatorApi {
  constructor(
    private readonly base: string,
    private readonly token: () => Promise<string>,
  ) {}

  /** Open rejects, oldest first. */
  async rejects(): Promise<readonly RejectView[]> {
    const { rejects } = await this.json({ method: 'GET' }, '/operator/rejects');
    return rowsOf<RejectView>(rejects, 'rejects', ['id', 'source', 'format', 'code', 'where', 'at', 'what', 'next']);
  }

  /** The bytes as they came. */
  async original(id: string): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.granted({ method: 'GET' }, `/operator/rejects/${encodeURIComponent(id)}/original`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Files `repaired`, or without it the original once more. */
  async replay(id: string, repaired: Uint8Array<ArrayBuffer> | undefined): Promise<Replayed> {
    const path = `/operator/rejects/${encodeURIComponent(id)}/replay`;
    const call: Call = repaired === undefined ? { method: 'POST' } : { method: 'POST', body: repaired, type: 'application/octet-stream' };
    const response = await this.call(call, path);
    const text = await response.text();
    if (response.ok) return filed(objectOf(text, path));
    const { errors } = objectIn(text);
    if (!Array.isArray(errors)) throw refusal(text, response.status, path);
    return { rejectId: id, state: 'rejected', errors: rowsOf<Problem>(errors, 'errors', ['code', 'where']) };
  }

  async discard(id: string, reason: string): Promise<void> {
    const body = JSON.stringify({ reason });
    await this.granted({ method: 'POST', body, type: 'application/json' }, `/operator/rejects/${encodeURIComponent(id)}/discard`);
  }

  /** Stays of others whose number was moved, and that stand where they stood, oldest first. */
  async stays(): Promise<readonly StayView[]> {
    const all: StayView[] = [];
    for (let after = ''; ;) {
      const { stays, next } = await this.json({ method: 'GET' }, `/operator/stays${after}`);
      all.push(...rowsOf<StayView>(stays, 'stays', ['id', 'at', 'custodian', 'source', 'controlId', 'what', 'next']));
      if (typeof next !== 'string') return all;
      after = `?after=${encodeURIComponent(next)}`;
    }
  }

  async answerStay(id: string, what: 'move' | 'keep', reason: string): Promise<void> {
    const body = JSON.stringify({ reason });
    await this.granted({ method: 'POST', body, type: 'application/json' }, `/operator/stays/${encodeURIComponent(id)}/${what}`);
  }

  /** Codes that no code map knows, the longest waiting first. */
  async mappingQuestions(): Promise<readonly OpenQuestion[]> {
    const { questions } = await this.json({ method: 'GET' }, '/operator/mappings');
    return rowsOf<OpenQuestion>(questions, 'questions', ['map', 'code', 'rule', 'firstSeen', 'lastSeen']);
  }

  async answerMapping(answer: Omit<MappingAnswer, 'target'> & { readonly target: object }): Promise<void> {
    await this.granted({ method: 'POST', body: JSON.stringify(answer), type: 'application/json' }, '/operator/mappings/answer');
  }

  /** Translates some messages again that met what is answered since. */
  async translateAgain(): Promise<{ readonly translated: number; readonly refused: number; readonly left: boolean }> {
    const { translated, refused, left } = await this.json({ method: 'POST' }, '/operator/mappings/translate-again');
    if (typeof translated !== 'number' || typeof refused !== 'number' || typeof left !== 'boolean') throw malformed('translate-again');
    return { translated, refused, left };
  }

  /** Gives a delivery its attempts back: one of a partner's by its number, one to a partner by its id with its part, one between the node's roles by its id. */
  async revive(id: string): Promise<void> {
    const kind = /^(\d+|.+\.\d+)$/.test(id) ? 'dead-letters' : 'outbox';
    await this.granted({ method: 'POST' }, `/operator/${kind}/${encodeURIComponent(id)}/revive`);
  }

  /** What the node finds when it looks at itself. */
  async health(): Promise<Health> {
    const answer = await this.json({ method: 'GET' }, '/operator/health');
    const { checks } = answer;
    const fits = (check: unknown): boolean => isRecord(check) && typeof check['name'] === 'string' && typeof check['ok'] === 'boolean';
    if (!Array.isArray(checks) || !checks.every(fits)) throw malformed('health');
    return answer as unknown as Health;
  }

  private async json(call: Call, path: string): Promise<Record<string, unknown>> {
    return objectOf(await (await this.granted(call, path)).text(), path);
  }

  /** Throws the error that the node told, or `cli.node-refused` where it told none. */
  private async granted(call: Call, path: string): Promise<Response> {
    const response = await this.call(call, path);
    if (response.ok) return response;
    throw refusal(await response.text(), response.status, path);
  }

  /** Throws `cli.node-unreachable`. */
  private async call({ method, body, type }: Call, path: string): Promise<Response> {
    const authorization = `Bearer ${await this.token()}`;
    return fetch(`${this.base}${path}`, {
      method,
      headers: { authorization, ...(type === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw new PortolanError('cli.node-unreachable', this.base, undefined, { cause: error });
    });
  }
}

function filed(answer: Record<string, unknown>): Replayed {
  const { rejectId, messageId, state, warnings } = answer;
  if (typeof rejectId !== 'string' || typeof messageId !== 'string' || typeof state !== 'string') throw malformed('replay');
  return { rejectId, messageId, state, warnings: rowsOf<Problem>(warnings, 'warnings', ['code', 'where']) };
}

/** The problem document (RFC 9457) of a refusal, as the error that it tells. */
function refusal(text: string, status: number, path: string): PortolanError {
  const { code, where, detail } = objectIn(text);
  if (typeof code !== 'string' || !isErrorCode(code)) return new PortolanError('cli.node-refused', path, `HTTP ${status}`);
  return new PortolanError(code, typeof where === 'string' ? where : path, typeof detail === 'string' ? detail : undefined);
}

function objectOf(text: string, where: string): Record<string, unknown> {
  const value = parseBounded(text, MAX_ANSWER_CHARS, 'cli.answer-malformed', where);
  if (!isRecord(value)) throw malformed(where);
  return value;
}

/** The same of what may be anything: an object without members where it is none. */
function objectIn(text: string): Record<string, unknown> {
  try {
    return objectOf(text, 'refusal');
  } catch {
    return {};
  }
}

/** The rows of a list, each with its texts. */
function rowsOf<Row extends object>(rows: unknown, where: string, texts: readonly (keyof Row & string)[]): readonly Row[] {
  const fits = (row: unknown): row is Row => isRecord(row) && texts.every((text) => typeof row[text] === 'string');
  if (!Array.isArray(rows) || !rows.every(fits)) throw malformed(where);
  return rows;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const malformed = (where: string): PortolanError => new PortolanError('cli.answer-malformed', where);
