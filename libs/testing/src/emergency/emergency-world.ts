import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Purpose } from '@portolan/contracts';
import { post, type CallEvidence, type RoleMessages, type RoleMessageType } from '@portolan/domain';
import { CountryFolders, MasterKeyDataKeys } from '@portolan/keys';
import { adminQuery, openEdgeDatabase } from '@portolan/postgres';
import type { Answer } from '../client/country-client.js';
import { CountryClient } from '../client/country-client.js';
import { parameterOf } from '../story/fhir-asks.js';
import { eventually } from '../story/wait.js';
import { demoClinicians, mari, type DemoClinician } from '../world/demo-people.js';
import { repository, World } from '../world/world.js';

export type Side = 'EE' | 'PT';
const HOUR_MS = 3_600_000;
const LOST_MS = 6_000;

/** A question to EE about its person, in PT's clinician's words. */
export interface RecordAsk {
  readonly purpose: Purpose;
  /** Id of an emergency, declared or not. */
  readonly emergency?: string;
}

/** Two countries whose channel can go away: EE holds a person's record, PT has an unconscious patient. */
export class EmergencyWorld {
  private handle = '';

  private constructor(
    readonly world: World,
    private readonly folder: string,
  ) {}

  static async start(sink: (line: string) => void): Promise<EmergencyWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'portolan-emergency-'));
    await chmod(folder, 0o755);
    const world = await World.start({ folder, countries: ['EE', 'PT'], fsync: false, sink });
    return new EmergencyWorld(world, folder);
  }

  async stop(): Promise<void> {
    await this.world.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** EE files the person's summary, she permits PT treatment, and PT finds her. */
  async prepare(): Promise<void> {
    const ee = this.at('EE');
    const body = new Uint8Array(await readFile(join(repository, 'libs/formats/fixtures/cda/ee-mari-naidis-summary.xml')));
    const filed = await ee.call('/ingest', { token: await ee.systemToken(), body, type: 'application/xml' });
    if (filed.status !== 200) throw new Error(`the summary was not filed: ${filed.text}`);
    const until = new Date(Date.now() + 24 * HOUR_MS).toISOString();
    const consent = JSON.stringify({ recipients: ['PT'], purposes: ['TREAT'], categories: ['summary'], until });
    const token = await ee.login(mari.id);
    await ee.call('/person/consents', { token, body: consent });
    await eventually('PT finds the person', async () => (this.handle = await this.match()) !== '');
  }

  at(side: Side): CountryClient {
    return new CountryClient(this.world.country(side));
  }

  get doctor(): DemoClinician {
    const found = demoClinicians['PT'];
    if (found === undefined) throw new Error('PT has no clinician');
    return found;
  }

  /** Another professional of the same hospital. */
  get colleague(): DemoClinician {
    const { nationalId } = this.doctor;
    return { ...this.doctor, id: 'colleague-pt', name: 'Dr. Rui Amostra', nationalId: { ...nationalId, value: 'OM00002' } };
  }

  /** What proves a call of this clinician: the system's token, and its statement about her. */
  async evidence(clinician: DemoClinician, purpose: Purpose): Promise<CallEvidence> {
    const pt = this.at('PT');
    return { accessToken: await pt.systemToken(), assertion: await pt.actingStatement(clinician, purpose) };
  }

  /** `$end-emergency` and `$review-emergency`. */
  act(clinician: DemoClinician, operation: 'end' | 'review', id: string, parameter: readonly object[] = []): Promise<Answer> {
    const body = { resourceType: 'Parameters', parameter: [{ name: 'id', valueId: id }, ...parameter] };
    return this.at('PT').clinical(clinician, `/fhir/$${operation}-emergency`, body);
  }

  /** The channel is gone, and both nodes have noticed. */
  async loseChannel(): Promise<void> {
    await this.world.orderer.stop();
    await pause(LOST_MS);
  }

  /** `$declare-emergency` for an hour; its id. */
  async declare(): Promise<string> {
    const parameter = [
      { name: 'country', valueCode: 'EE' },
      { name: 'reason', valueString: 'unconscious, no relatives' },
      { name: 'until', valueInstant: new Date(Date.now() + HOUR_MS).toISOString() },
    ];
    const body = { resourceType: 'Parameters', parameter };
    const answer = await this.at('PT').clinical(this.doctor, '/fhir/$declare-emergency', body, 'ETREAT');
    if (answer.status !== 200) throw new Error(`the emergency was not declared: ${answer.text}`);
    return parameterOf(answer, 'id');
  }

  /** What PT's edge tells its exchange, put into the edge's own outbox: what a stolen edge could do. */
  async tell<Type extends RoleMessageType>(type: Type, key: string, body: RoleMessages[Type]): Promise<void> {
    const { home, database } = this.world.country('PT').config;
    const password = (await readFile(join(home, 'edge/database.secret'), 'utf8')).trim();
    const keys = await MasterKeyDataKeys.open(new CountryFolders(home).master('edge'));
    const address = { host: database.host, port: database.port, database: database.name, user: 'pt_edge', password };
    const edge = await openEdgeDatabase({ address }, keys);
    await edge.uow.run(async (tx) => post(tx, { id: randomUUID(), type, key, keyId: await tx.keys.create(), body }));
    await edge.close();
  }

  /** Asks and does not wait on the line; the transfer's id. */
  async ask({ purpose, emergency }: RecordAsk): Promise<string> {
    const named = [
      { name: 'id', valueId: emergency },
      { name: 'reason', valueString: 'unconscious, no relatives' },
    ];
    const parameter = [
      { name: 'patient', valueReference: { reference: `Patient/${this.handle}` } },
      { name: 'category', valueCode: 'summary' },
      { name: 'purpose', valueCode: purpose },
      { name: 'wait', valueInteger: 0 },
      ...(emergency === undefined ? [] : [{ name: 'emergency', part: named }]),
    ];
    const answer = await this.at('PT').clinical(this.doctor, '/fhir/$request-record', { resourceType: 'Parameters', parameter }, purpose);
    const [, id] = /\$async\/([0-9a-f-]{36})$/.exec(answer.headers.get('content-location') ?? '') ?? [];
    if (id === undefined) throw new Error(`the record was not asked for: ${answer.status} ${answer.text}`);
    return id;
  }

  /** The answer to what was asked, 202 while there is none. */
  answer(transfer: string, purpose: Purpose): Promise<Answer> {
    return this.at('PT').clinical(this.doctor, `/fhir/$async/${transfer}`, undefined, purpose);
  }

  async answered(transfer: string, purpose: Purpose, withinMs: number): Promise<Answer> {
    const end = Date.now() + withinMs;
    for (;;) {
      const answer = await this.answer(transfer, purpose);
      if (answer.status !== 202 || Date.now() > end) return answer;
      await pause(100);
    }
  }

  /** State of a transfer in one country's exchange, read from outside. */
  async state(side: Side, transfer: string): Promise<string | undefined> {
    const [row] = await this.rows<{ state: string }>(side, 'SELECT state FROM exchange.transfer WHERE transfer_id = $1', [transfer]);
    return row?.state;
  }

  async rows<Row>(side: Side, sql: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    const admin = await this.world.cluster.start();
    return adminQuery<Row>({ ...admin, database: this.world.country(side).config.database.name }, sql, parameters);
  }

  private async match(): Promise<string> {
    const patient = { resourceType: 'Patient', identifier: [mari.identifier], birthDate: mari.birthDate, name: [{ family: mari.family }] };
    const parameter = [
      { name: 'resource', resource: patient },
      { name: 'onlyCertainMatches', valueBoolean: true },
      { name: 'country', valueCode: 'EE' },
    ];
    const answer = await this.at('PT').clinical(this.doctor, '/fhir/Patient/$match', { resourceType: 'Parameters', parameter });
    return answer.json<{ entry?: readonly { resource: { id: string } }[] }>().entry?.[0]?.resource.id ?? '';
  }
}
