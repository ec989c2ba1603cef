import { setTimeout as pause } from 'node:timers/promises';
import type { Purpose } from '@portolan/contracts';
import type { Answer } from '../client/country-client.js';
import { entriesOf, parameterOf } from '../story/fhir-asks.js';
import type { DemoClinician, DemoPerson } from '../world/demo-people.js';
import { clinicianOf } from './cast.js';
import type { SharedWorld } from './shared-world.js';

const ANSWERED_WITHIN_MS = 60_000;

export type Sought = Pick<DemoPerson, 'identifier' | 'birthDate' | 'family'>;

/** What was released: the ids under which it can be found again. */
export interface Obtained {
  readonly handle: string;
  readonly transfer: string;
  readonly permit: string;
  readonly view: string;
}

/** A FHIR resource as it is shown. */
export interface Shown {
  readonly resourceType: string;
  readonly id: string;
  readonly [member: string]: unknown;
}

/** A named clinician of one country who asks another; patient as long as the transfer takes on a busy machine. */
export class Asker {
  constructor(
    private readonly world: SharedWorld,
    readonly country: string,
    readonly custodian: string,
    readonly who: DemoClinician = clinicianOf(country),
  ) {}

  async match(person: Sought, purpose: Purpose = 'TREAT'): Promise<Answer> {
    const { identifier, birthDate, family } = person;
    return this.ask(
      '/fhir/Patient/$match',
      [
        { name: 'resource', resource: { resourceType: 'Patient', identifier: [identifier], birthDate, name: [{ family }] } },
        { name: 'onlyCertainMatches', valueBoolean: true },
        { name: 'country', valueCode: this.custodian },
        { name: 'purpose', valueCode: purpose },
      ],
      purpose,
    );
  }

  /** Our handle of the one certain person; undefined where the answer was the negative one. */
  async find(person: Sought): Promise<string | undefined> {
    return entriesOf(await this.match(person))[0]?.id;
  }

  async record(handle: string, categories: readonly string[], purpose: Purpose = 'TREAT'): Promise<Answer> {
    return this.ask(
      '/fhir/$request-record',
      [
        { name: 'patient', valueReference: { reference: `Patient/${handle}` } },
        ...categories.map((category) => ({ name: 'category', valueCode: category })),
        { name: 'purpose', valueCode: purpose },
      ],
      purpose,
    );
  }

  async obtain(person: Sought, categories: readonly string[]): Promise<Obtained> {
    const handle = await this.find(person);
    if (handle === undefined) throw new Error(`${this.custodian} did not find the person`);
    const answer = await this.record(handle, categories);
    if (answer.status !== 200) throw new Error(`${this.custodian} did not release: ${answer.status} ${answer.text.slice(0, 300)}`);
    const [transfer, permit] = [parameterOf(answer, 'transfer'), parameterOf(answer, 'permit')];
    return { handle, transfer, permit, view: parameterOf(answer, 'view') };
  }

  /** A FHIR call of this clinician at home. */
  at(path: string, body?: unknown, purpose?: Purpose): Promise<Answer> {
    return this.world.at(this.country).clinical(this.who, path, body, purpose);
  }

  /** Measured laboratory results of a person of this clinician's own country, whichever of her sources' Patient they name. */
  async resultsAtHome({ identifier }: Sought): Promise<readonly Shown[]> {
    const patients = entriesOf(await this.at(`/fhir/Patient?identifier=${identifier.system}|${identifier.value}`));
    const named = patients.map(({ id }) => `Patient/${id}`).join();
    const found: readonly Shown[] = entriesOf(await this.at(`/fhir/Observation?patient=${named}&category=laboratory`));
    return found.filter((one) => one.resourceType === 'Observation' && one['valueQuantity'] !== undefined);
  }

  /** Begins a crossing and does not wait: the answer that names where to look, and the transfer. */
  async begin(handle: string, categories: readonly string[]): Promise<{ transfer: string; look: () => Promise<Answer> }> {
    const parameter = [
      { name: 'patient', valueReference: { reference: `Patient/${handle}` } },
      ...categories.map((category) => ({ name: 'category', valueCode: category })),
      { name: 'purpose', valueCode: 'TREAT' },
      { name: 'wait', valueInteger: 0 },
    ];
    const answer = await this.at('/fhir/$request-record', { resourceType: 'Parameters', parameter });
    const later = answer.headers.get('content-location') ?? '';
    return { transfer: later.split('/').at(-1) ?? '', look: () => this.until(answer) };
  }

  private async ask(path: string, parameter: readonly unknown[], purpose: Purpose): Promise<Answer> {
    return this.until(await this.at(path, { resourceType: 'Parameters', parameter }, purpose));
  }

  private async until(first: Answer): Promise<Answer> {
    const end = Date.now() + ANSWERED_WITHIN_MS;
    const later = first.headers.get('content-location');
    let answer = first;
    while (answer.status === 202 && later !== null && Date.now() < end) {
      await pause(50);
      answer = await this.at(later);
    }
    return answer;
  }
}
