import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, CountryClient } from '../client/country-client.js';
import type { DemoClinician, DemoPerson } from '../world/demo-people.js';

/** What a clinician got for a question abroad. */
export type Outcome = 'released' | 'matched' | 'none' | 'unanswered' | 'refused';

const ANSWERED_WITHIN_MS = 90_000;

/** A clinician who asks abroad and does not give up when a connection breaks: the transfer goes on without it. */
export class Clinician {
  constructor(
    private readonly client: CountryClient,
    private readonly who: DemoClinician,
  ) {}

  /** `Patient/$match` abroad; the handle of the one certain person. */
  async match(person: DemoPerson): Promise<{ outcome: Outcome; handle: string | undefined }> {
    const { identifier, birthDate, family } = person;
    const patient = { resourceType: 'Patient', identifier: [identifier], birthDate, name: [{ family }] };
    const answer = await this.ask('/fhir/Patient/$match', [
      { name: 'resource', resource: patient },
      { name: 'onlyCertainMatches', valueBoolean: true },
      { name: 'country', valueCode: person.country },
    ]);
    if (answer.status !== 200) return { outcome: outcomeOf(answer), handle: undefined };
    const [entry] = answer.json<{ entry?: readonly { resource: { id: string } }[] }>().entry ?? [];
    return { outcome: entry === undefined ? 'none' : 'matched', handle: entry?.resource.id };
  }

  /** The explicit request for a record held abroad. */
  async record(handle: string, categories: readonly string[]): Promise<Outcome> {
    const answer = await this.ask('/fhir/$request-record', [
      { name: 'patient', valueReference: { reference: `Patient/${handle}` } },
      ...categories.map((category) => ({ name: 'category', valueCode: category })),
      { name: 'purpose', valueCode: 'TREAT' },
    ]);
    return outcomeOf(answer);
  }

  /** Asks without waiting on the line, then looks until there is an answer (FHIR R4, asynchronous pattern). */
  private async ask(path: string, parameter: readonly unknown[]): Promise<Answer> {
    const end = Date.now() + ANSWERED_WITHIN_MS;
    const body = { resourceType: 'Parameters', parameter: [...parameter, { name: 'wait', valueInteger: 0 }] };
    let answer = await this.persist(end, () => this.client.clinical(this.who, path, body));
    const later = answer.headers.get('content-location');
    while (answer.status === 202 && later !== null) {
      if (Date.now() > end) throw new Error(`no answer within ${ANSWERED_WITHIN_MS} ms at ${later}`);
      await pause(150);
      answer = await this.persist(end, () => this.client.clinical(this.who, later));
    }
    return answer;
  }

  /** Tries again while the edge is away. */
  private async persist(end: number, call: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (Date.now() > end) throw error;
        await pause(200);
      }
    }
  }
}

function outcomeOf({ status, text }: Answer): Outcome {
  if (status === 200) return 'released';
  if (text.includes('request.none')) return 'none';
  if (text.includes('request.unanswered')) return 'unanswered';
  if (text.includes('receive.refused')) return 'refused';
  throw new Error(`answered ${status}: ${text.slice(0, 400)}`);
}
