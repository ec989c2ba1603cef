import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, CountryClient } from '../client/country-client.js';
import { entriesOf } from '../story/fhir-asks.js';
import type { DemoClinician, DemoPerson } from '../world/demo-people.js';

/** What a question for a record abroad came to. */
export type Outcome = 'released' | 'none' | 'unanswered' | 'refused';

/** Long enough for the longest fault and what it takes to go on. */
const ANSWERED_WITHIN_MS = 300_000;
const LOOK_AGAIN_MS = 700;
const WAITS_SECONDS = 10;

/** A clinician of one country who asks for records abroad, and asks again where her own node does not answer. */
export class Clinic {
  constructor(
    private readonly client: CountryClient,
    private readonly who: DemoClinician,
  ) {}

  /** Our handle of a person of another country. */
  async find({ identifier, birthDate, family, country }: DemoPerson): Promise<string> {
    const answer = await this.ask('/fhir/Patient/$match', [
      { name: 'resource', resource: { resourceType: 'Patient', identifier: [identifier], birthDate, name: [{ family }] } },
      { name: 'onlyCertainMatches', valueBoolean: true },
      { name: 'country', valueCode: country },
    ]);
    const [found] = answer.status === 200 ? entriesOf(answer) : [];
    if (found === undefined) throw new Error(`${country} did not find a person: ${answer.status} ${answer.text.slice(0, 300)}`);
    return found.id;
  }

  async record(handle: string, category: string): Promise<Outcome> {
    const answer = await this.ask('/fhir/$request-record', [
      { name: 'patient', valueReference: { reference: `Patient/${handle}` } },
      { name: 'category', valueCode: category },
      { name: 'purpose', valueCode: 'TREAT' },
    ]);
    return outcomeOf(answer);
  }

  private async ask(path: string, parameter: readonly unknown[]): Promise<Answer> {
    const end = Date.now() + ANSWERED_WITHIN_MS;
    const body = { resourceType: 'Parameters', parameter: [...parameter, { name: 'wait', valueInteger: WAITS_SECONDS }] };
    let answer = await this.persist(end, () => this.client.clinical(this.who, path, body));
    const later = answer.headers.get('content-location');
    while (answer.status === 202 && later !== null) {
      if (Date.now() > end) throw new Error(`no answer within ${ANSWERED_WITHIN_MS} ms at ${later}`);
      await pause(LOOK_AGAIN_MS);
      answer = await this.persist(end, () => this.client.clinical(this.who, later));
    }
    return answer;
  }

  /** Tries again while the node is away, says that it cannot at the moment, or believes nobody since its clock is off. */
  private async persist(end: number, call: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      try {
        const answer = await call();
        if (!isTransient(answer) || Date.now() > end) return answer;
      } catch (error) {
        if (Date.now() > end) throw error;
      }
      await pause(300);
    }
  }
}

const ANSWERS: Readonly<Record<string, Outcome>> = {
  'request.none': 'none',
  'request.unanswered': 'unanswered',
  'receive.refused': 'refused',
};

const found = (text: string): Outcome | undefined => Object.entries(ANSWERS).find(([code]) => text.includes(code))?.[1];
const isOutcome = ({ text }: Answer): boolean => found(text) !== undefined;

const isTransient = (answer: Answer): boolean => (answer.status >= 500 || [401, 429].includes(answer.status)) && !isOutcome(answer);

function outcomeOf({ status, text }: Answer): Outcome {
  if (status === 200) return 'released';
  const outcome = found(text);
  if (outcome === undefined) throw new Error(`answered ${status}: ${text.slice(0, 400)}`);
  return outcome;
}
