import type { Purpose } from '@portolan/contracts';
import type { Answer } from '../../client/country-client.js';
import { clinicianOf, Herself, newcomer } from '../../scenarios/cast.js';
import { eventually } from '../../story/wait.js';
import { parameterOf } from '../../story/fhir-asks.js';
import { Clinic } from '../clinic.js';
import type { FaultWorld } from '../fault-world.js';

const HOUR_MS = 3_600_000;
const ANSWER_WITHIN_MS = 45_000;

/** A person of EE who lies unconscious in PT, and PT's clinician. */
export class EmergencyCase {
  private transfer = '';

  private constructor(
    private readonly world: FaultWorld,
    private readonly handle: string,
  ) {}

  static async prepare(world: FaultWorld): Promise<EmergencyCase> {
    const person = await newcomer(world.shared, 'EE');
    await new Herself(world.shared, person).permits(['PT'], ['laboratory']);
    const handle = await new Clinic(world.client('PT'), clinicianOf('PT')).find(person);
    return new EmergencyCase(world, handle);
  }

  /** Asks as on any day; the state of the transfer after a while, or how it was answered. */
  async ordinary(): Promise<string> {
    const asked = await this.ask('TREAT');
    const { status } = await this.answered(asked, 'TREAT', 5_000);
    return status === 202 ? 'waits' : `answered with ${status}`;
  }

  /** Declares an emergency and asks; what came of it. */
  async urgent(): Promise<string> {
    const parameter = [
      { name: 'country', valueCode: 'EE' },
      { name: 'reason', valueString: 'unconscious, no relatives' },
      { name: 'until', valueInstant: new Date(Date.now() + HOUR_MS).toISOString() },
    ];
    const declared = await this.call('/fhir/$declare-emergency', parameter, 'ETREAT');
    if (declared.status !== 200) return `not declared: ${declared.status} ${declared.text.slice(0, 200)}`;
    const began = performance.now();
    this.transfer = await this.ask('ETREAT', parameterOf(declared, 'id'));
    const { status, text } = await this.answered(this.transfer, 'ETREAT', ANSWER_WITHIN_MS);
    const took = ((performance.now() - began) / 1000).toFixed(1);
    return status === 200 ? `opened after ${took} s` : `answered with ${status} after ${took} s: ${text.slice(0, 200)}`;
  }

  /** Waits until the emergency's steps stand on BE's copy of the channel; how many of them are late ones. */
  async anchored(): Promise<string> {
    const sql = `SELECT step, late IS NOT NULL AS late FROM notary.trail_step WHERE transfer_id = $1`;
    let steps: readonly { step: string; late: boolean }[] = [];
    await eventually(
      'the emergency’s steps stand',
      async () => (steps = await this.world.rows<{ step: string; late: boolean }>('BE', sql, [this.transfer])).length >= 2,
      180_000,
    );
    return `(${steps.map(({ step, late }) => `${step}${late ? ', late' : ''}`).join('; ')})`;
  }

  private async ask(purpose: Purpose, emergency?: string): Promise<string> {
    const named = [
      { name: 'id', valueId: emergency },
      { name: 'reason', valueString: 'unconscious, no relatives' },
    ];
    const answer = await this.call(
      '/fhir/$request-record',
      [
        { name: 'patient', valueReference: { reference: `Patient/${this.handle}` } },
        { name: 'category', valueCode: 'laboratory' },
        { name: 'purpose', valueCode: purpose },
        { name: 'wait', valueInteger: 0 },
        ...(emergency === undefined ? [] : [{ name: 'emergency', part: named }]),
      ],
      purpose,
    );
    const id = answer.headers.get('content-location')?.split('/').at(-1);
    if (id === undefined) throw new Error(`the record was not asked for: ${answer.status} ${answer.text.slice(0, 300)}`);
    return id;
  }

  private async answered(transfer: string, purpose: Purpose, withinMs: number): Promise<Answer> {
    const end = Date.now() + withinMs;
    for (;;) {
      const answer = await this.world.client('PT').clinical(clinicianOf('PT'), `/fhir/$async/${transfer}`, undefined, purpose);
      if (answer.status !== 202 || Date.now() > end) return answer;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  private call(path: string, parameter: readonly unknown[], purpose: Purpose): Promise<Answer> {
    const body = { resourceType: 'Parameters', parameter };
    return this.world.client('PT').clinical(clinicianOf('PT'), path, body, purpose);
  }
}
