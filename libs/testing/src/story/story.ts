import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CountryClient } from '../client/country-client.js';
import { EventStream } from '../client/event-stream.js';
import { sendMllp } from '../client/mllp.js';
import { demoClinicians, erika, mari, otto, type DemoClinician, type DemoPerson } from '../world/demo-people.js';
import { keep } from '../world/files.js';
import { repository } from '../world/world.js';
import type { ProvisionedWorld } from '../world/provision-world.js';
import { runCli } from './cli-process.js';
import { entriesOf, matchAbroad, parameterOf, requestRecord } from './fhir-asks.js';
import { demand, type Narrator } from './narrator.js';
import { eventually } from './wait.js';

/** What the story leaves behind. */
export interface StoryResult {
  readonly transfers: readonly { readonly id: string; readonly from: string; readonly to: string; readonly outcome: string }[];
  readonly accesses: number;
  readonly anchors: number;
  readonly rejects: number;
  readonly receipts: readonly string[];
  readonly trust: string;
  /** `Bundle/<id>` of the view that BE still has. */
  readonly view: string;
}

const fixtures = join(repository, 'libs/formats/fixtures');
const SEEN_WITHIN_MS = 15_000;

/** The eight steps of a record that crosses a border, played from outside over real sockets. */
export class Story {
  private readonly clients = new Map<string, CountryClient>();
  private readonly transfers: { id: string; from: string; to: string; outcome: string }[] = [];
  private readonly receipts: string[] = [];
  private trust = '';
  private accesses = 0;
  private anchors = 0;
  private rejects = 0;
  private consentId = '';
  private handle = '';
  private views: string[] = [];
  private readonly run = Date.now().toString(36);

  constructor(
    private readonly world: ProvisionedWorld,
    private readonly narrator: Narrator,
  ) {
    for (const [code, country] of world.countries) this.clients.set(code, new CountryClient(country));
  }

  async play(): Promise<StoryResult> {
    await this.hospitalSends();
    await this.personPermits();
    const stream = await EventStream.open(`${this.at('EE').base}/person/events`, await this.at('EE').login(mari.id));
    try {
      await this.clinicianAsks();
      await this.personSees(stream);
      await this.personWithdraws(stream);
    } finally {
      stream.close();
    }
    await this.regulatorVerifies();
    await this.damagedMessage();
    await this.optOut();
    const { transfers, accesses, anchors, rejects, receipts, trust } = this;
    return { transfers, accesses, anchors, rejects, receipts, trust, view: this.views.at(-1) ?? '' };
  }

  private at(country: string): CountryClient {
    const client = this.clients.get(country);
    demand(client !== undefined, `${country} takes part`);
    return client;
  }

  private doctor(country: string): DemoClinician {
    const found = demoClinicians[country];
    demand(found !== undefined, `${country} has a clinician`);
    return found;
  }

  private async hospitalSends(): Promise<void> {
    this.narrator.chapter(1, 'A hospital in EE sends what it already speaks');
    for (const name of ['ee-adt-a01', 'ee-oru-r01-chemistry', 'ee-oru-r01-immunology']) {
      const ack = await sendMllp(this.at('EE').config.mllp, await readFile(join(fixtures, 'hl7v2', `${name}.hl7`)));
      const msa = ack.split('\r').find((line) => line.startsWith('MSA')) ?? '';
      demand(msa.startsWith('MSA|AA|'), `${name} is acknowledged with AA (was ${msa})`);
      this.narrator.tell('EE', `HL7 v2 over MLLP, acknowledged ${msa.split('|')[1] ?? ''}`, msa.split('|')[2] ?? '');
    }
    await this.sendDocument('EE', 'ee-mari-naidis-summary.xml');
  }

  private async sendDocument(country: string, file: string): Promise<void> {
    const client = this.at(country);
    const body = new Uint8Array(await readFile(join(fixtures, 'cda', file)));
    const answer = await client.call('/ingest', { token: await client.systemToken(), body, type: 'application/xml' });
    demand(answer.status === 200, `${file} is filed (was ${answer.status}: ${answer.text.slice(0, 300)})`);
    this.narrator.tell(country, 'CDA patient summary filed', answer.json<{ messageId: string }>().messageId);
  }

  private async personPermits(): Promise<void> {
    this.narrator.chapter(2, 'The person permits PT treatment with laboratory and summary, until a date');
    const client = this.at('EE');
    const token = await client.login(mari.id);
    for (const id of await this.liveConsents(token))
      await client.call(`/person/consents/${id}/withdraw`, { method: 'POST', token, body: '{}' });
    await eventually('what an earlier story left is withdrawn', async () => (await this.liveConsents(token)).length === 0);
    const until = new Date(Date.now() + 14 * 86_400_000).toISOString();
    const body = JSON.stringify({ recipients: ['PT'], purposes: ['TREAT'], categories: ['laboratory', 'summary'], until });
    const answer = await client.call('/person/consents', { token, body });
    demand(answer.status === 202, `the permission is taken (was ${answer.status}: ${answer.text.slice(0, 300)})`);
    this.consentId = answer.json<{ consentId: string }>().consentId;
    await eventually('the permission stands', async () => (await this.liveConsents(token)).includes(this.consentId));
    this.narrator.tell('EE', `${mari.name} permits PT: treatment, laboratory and summary`, this.consentId);
  }

  private async liveConsents(token: string): Promise<readonly string[]> {
    const grounds = await this.at('EE').call('/person/grounds', { token });
    demand(grounds.status === 200, `the grounds are shown (was ${grounds.status}: ${grounds.text.slice(0, 300)})`);
    const { consents } = grounds.json<{ consents: readonly { id: string; state: string }[] }>();
    return consents.filter(({ state }) => state === 'live').map(({ id }) => id);
  }

  private async clinicianAsks(): Promise<void> {
    this.narrator.chapter(3, 'A clinician in PT finds the person and asks EE');
    const client = this.at('PT');
    const doctor = this.doctor('PT');
    const handle = await matchAbroad(client, doctor, 'EE', mari);
    demand(handle !== undefined, 'EE finds the person by identifier and birth date');
    this.handle = handle;
    this.narrator.tell('PT', `${doctor.name} found one certain person in EE`, handle);
    for (const category of ['summary', 'laboratory']) await this.ask('PT', 'EE', handle, [category]);
    await this.readAtPt(handle);
  }

  private async ask(from: string, to: string, handle: string, categories: readonly string[]): Promise<string> {
    const started = Date.now();
    const answer = await requestRecord(this.at(from), this.doctor(from), handle, categories);
    demand(answer.status === 200, `${to} releases ${categories.join(', ')} (was ${answer.status}: ${answer.text.slice(0, 300)})`);
    const transfer = parameterOf(answer, 'transfer');
    this.views.push(parameterOf(answer, 'view'));
    this.transfers.push({ id: transfer, from: to, to: from, outcome: 'released' });
    this.narrator.tell(from, `${categories.join(', ')} of a person in ${to} opened after ${Date.now() - started} ms`, transfer);
    return transfer;
  }

  private async readAtPt(handle: string): Promise<void> {
    const client = this.at('PT');
    const doctor = this.doctor('PT');
    const summary = await client.clinical(doctor, `/fhir/Patient/${handle}/$summary`);
    demand(summary.status === 200, `the IPS is read (was ${summary.status}: ${summary.text.slice(0, 300)})`);
    const composition = entriesOf(summary).find(({ resourceType }) => resourceType === 'Composition');
    const sections = (composition?.['section'] ?? []) as readonly { code: { coding: readonly { code: string }[] } }[];
    const codes = sections.map((section) => section.code.coding[0]?.code);
    demand(
      ['11450-4', '48765-2', '10160-0'].every((code) => codes.includes(code)),
      'the IPS has its required sections',
    );
    this.narrator.tell('PT', `IPS document read, ${sections.length} sections`, (this.views[0] ?? '').split('/')[1] ?? '');
    const found = await client.clinical(doctor, `/fhir/Observation?patient=Patient/${handle}&category=laboratory`);
    demand(found.status === 200, `the observations are found (was ${found.status}: ${found.text.slice(0, 300)})`);
    const observations = entriesOf(found).filter(({ resourceType }) => resourceType === 'Observation');
    const flagged = observations.filter((one) => Array.isArray(one['interpretation']));
    const measured = observations.filter((one) => typeof (one['valueQuantity'] as { unit?: string } | undefined)?.unit === 'string');
    demand(flagged.length > 0 && measured.length > 0, 'observations have their flags and units');
    this.narrator.tell('PT', `${observations.length} observations read, ${measured.length} with units, ${flagged.length} with flags`);
  }

  private async personSees(stream: EventStream): Promise<void> {
    this.narrator.chapter(4, 'The person sees every access the moment it happens');
    for (const { id } of this.transfers) {
      const event = await stream.wait(({ data }) => data['act'] === 'record-released' && data['transferId'] === id, SEEN_WITHIN_MS);
      const { who, purpose, permitId } = event.data as { who: { name: string; organisation: string }; purpose: string; permitId: string };
      demand(who.name === this.doctor('PT').name && purpose === 'TREAT' && permitId !== '', 'the access says who, why and on which permit');
      this.narrator.tell('EE', `told ${mari.name}: released to ${who.name}, ${who.organisation}, ${purpose}`, permitId);
    }
    const read = await stream.wait(({ data }) => data['act'] === 'view-read-abroad', SEEN_WITHIN_MS);
    this.narrator.tell(
      'EE',
      `told ${mari.name}: read abroad by ${(read.data['who'] as { name: string }).name}`,
      String(read.data['permitId']),
    );
  }

  private async personWithdraws(stream: EventStream): Promise<void> {
    this.narrator.chapter(5, 'The person withdraws');
    const [ee, pt] = [this.at('EE'), this.at('PT')];
    const answer = await ee.call(`/person/consents/${this.consentId}/withdraw`, {
      method: 'POST',
      token: await ee.login(mari.id),
      body: '{}',
    });
    demand(answer.status === 202, `the withdrawal is taken (was ${answer.status}: ${answer.text.slice(0, 300)})`);
    this.narrator.tell('EE', `${mari.name} withdraws`, this.consentId);
    for (const { id } of this.transfers)
      await stream.wait(({ data }) => data['act'] === 'view-destroyed-abroad' && data['transferId'] === id, 60_000);
    const gone = await pt.clinical(this.doctor('PT'), `/fhir/Patient/${this.handle}/$summary`);
    demand(gone.status === 404, `PT has nothing left to show (was ${gone.status})`);
    this.narrator.tell('PT', 'views destroyed and attested', this.views.map((view) => view.split('/')[1]?.slice(0, 8)).join(' '));
    const again = await requestRecord(pt, this.doctor('PT'), this.handle, ['summary']);
    demand(again.status === 404, `PT gets the one negative answer (was ${again.status}: ${again.text.slice(0, 300)})`);
    this.narrator.tell('PT', 'asked again: the one negative answer');
    this.accesses = stream.events.length;
  }

  private async regulatorVerifies(): Promise<void> {
    this.narrator.chapter(6, 'A regulator asks the trail, and verifies offline');
    const ee = this.at('EE');
    const token = await ee.login('regulator');
    const from = new Date(Date.now() - 3_600_000).toISOString();
    const wanted = this.transfers.map(({ id }) => id);
    let steps: readonly { transferId: string; step: string }[] = [];
    await eventually('every transfer is in the trail with its final step', async () => {
      const answer = await ee.call(`/regulator/trail?from=${from}&limit=200`, { token });
      demand(answer.status === 200, `the trail is answered (was ${answer.status}: ${answer.text.slice(0, 300)})`);
      ({ steps } = answer.json<{ steps: typeof steps }>());
      return wanted.every((id) => steps.some((one) => one.transferId === id && one.step === 'received'));
    });
    this.anchors = steps.length;
    this.narrator.tell('EE', `regulator sees ${steps.length} anchored steps of all countries`);
    this.trust = join(this.world.folder, 'trust.json');
    await keep(this.trust, (await ee.call('/regulator/trust', { token })).text);
    for (const { id, from: custodian } of this.transfers) await this.keepReceipt(custodian, id);
    await this.verifyOffline();
  }

  private async keepReceipt(custodian: string, transfer: string): Promise<string> {
    const client = this.at(custodian);
    const token = await client.login('regulator');
    let text = '';
    await eventually('the receipt is anchored', async () => {
      const answer = await client.call(`/regulator/receipts/${transfer}?step=released`, { token });
      text = answer.text;
      return answer.status === 200;
    });
    const file = join(this.world.folder, 'receipts', `${transfer}.json`);
    await keep(file, text);
    this.receipts.push(file);
    return file;
  }

  private async verify(receipt: string): Promise<void> {
    const verified = await runCli(this.world.folder, ['verify', receipt, '--trust', this.trust]);
    demand(verified.code === 0, `the receipt verifies offline (${verified.stdout.slice(0, 500)} ${verified.stderr.slice(0, 300)})`);
    this.narrator.tell('REG', 'portolan verify: every step ok', receipt.split('/').at(-1) ?? '');
  }

  private async verifyOffline(): Promise<void> {
    for (const receipt of this.receipts) await this.verify(receipt);
    const [first] = this.receipts;
    demand(first !== undefined, 'there is a receipt');
    const text = await readFile(first, 'utf8');
    // Within the transaction of the head, as either ledger keeps it.
    const at = Math.max(text.indexOf('"transaction":"'), text.indexOf('"envelope":"')) + 200;
    const altered = join(this.world.folder, 'receipts', 'altered.json');
    await keep(altered, text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1));
    const refused = await runCli(this.world.folder, ['verify', altered, '--trust', this.trust]);
    demand(refused.code === 1, 'a copy with one byte changed is refused');
    this.narrator.tell(
      'REG',
      `one byte changed: refused (${(refused.stdout + refused.stderr).split('\n').find((line) => line.includes('failed')) ?? 'named step'})`,
    );
  }

  private async damagedMessage(): Promise<void> {
    this.narrator.chapter(7, 'A PT hospital sends a damaged message; it is repaired and replayed');
    const pt = this.at('PT');
    const [damaged, repaired] = await this.damagedAndRepaired();
    const ack = await sendMllp(pt.config.mllp, damaged);
    demand(
      /\rMSA\|AE\|/.test(ack) && ack.includes('\rERR|'),
      `the damaged message is refused with AE and ERR (was ${ack.replaceAll('\r', ' / ')})`,
    );
    this.narrator.tell('PT', 'negative acknowledgement AE with ERR');
    const listed = await runCli(this.world.folder, ['replay', '--country', 'PT', '--list', '--json']);
    const rejects = JSON.parse(listed.stdout) as readonly { id: string; code: string }[];
    const [reject] = rejects;
    demand(reject !== undefined, 'the reject is listed with its original kept');
    this.rejects = rejects.length;
    this.narrator.tell('PT', `reject kept: ${reject.code}`, reject.id);
    const replayed = await runCli(this.world.folder, ['replay', '--country', 'PT', reject.id, '--file', repaired]);
    demand(replayed.code === 0, `the repaired message is replayed (${replayed.stderr.slice(0, 300)})`);
    this.narrator.tell('PT', 'repaired and replayed through the CLI', reject.id);
  }

  /** The same message under a control id of this run, so that it is new to a world that heard the story before. */
  private async damagedAndRepaired(): Promise<[Uint8Array, string]> {
    const named = async (name: string): Promise<Buffer> => {
      const text = (await readFile(join(fixtures, 'hl7v2', name))).toString('latin1');
      return Buffer.from(text.replace('PT-ADT-0002', `PT-${this.run}`), 'latin1');
    };
    const file = join(this.world.folder, 'repaired', `${this.run}.hl7`);
    await mkdir(join(this.world.folder, 'repaired'), { recursive: true });
    await writeFile(file, await named('pt-adt-a08-repaired.hl7'));
    return [await named('pt-adt-a08-damaged.hl7'), file];
  }

  private async optOut(): Promise<void> {
    this.narrator.chapter(8, 'DE releases to BE on the ground of treatment, and refuses for a person who opted out');
    for (const file of ['de-erika-beispiel-summary.xml', 'de-otto-ohneweg-summary.xml']) await this.sendDocument('DE', file);
    const de = this.at('DE');
    const token = await de.login(otto.id);
    const answer = await de.call('/person/restrictions', { token, body: JSON.stringify({ kind: 'opt-out' }) });
    demand(answer.status === 202, `the opt-out is taken (was ${answer.status}: ${answer.text.slice(0, 300)})`);
    await eventually('the opt-out stands', async () => {
      const { restrictions } = (await de.call('/person/grounds', { token })).json<{ restrictions: readonly { state: string }[] }>();
      return restrictions.some(({ state }) => state === 'live');
    });
    this.narrator.tell('DE', `${otto.name} opts out`);
    // Asked for together: both answers leave at the same fixed time, whatever they say.
    const [handle] = await Promise.all([matchAbroad(this.at('BE'), this.doctor('BE'), 'DE', erika), this.refused(otto)]);
    demand(handle !== undefined, 'DE finds the person who did not opt out');
    // Her results are still with the hospital in DE: the node asks it now, and keeps nothing.
    const transfer = await this.ask('BE', 'DE', handle, ['summary', 'laboratory']);
    await this.readAtBe(handle);
    const receipt = await this.keepReceipt('DE', transfer);
    await this.verify(receipt);
    const trail = await this.at('DE').call('/regulator/trail?limit=200', { token: await this.at('DE').login('regulator') });
    this.anchors = trail.json<{ steps: readonly unknown[] }>().steps.length;
  }

  private async readAtBe(handle: string): Promise<void> {
    const path = `/fhir/Observation?patient=Patient/${handle}&category=laboratory`;
    const found = await this.at('BE').clinical(this.doctor('BE'), path);
    demand(found.status === 200, `the results are found (was ${found.status}: ${found.text.slice(0, 300)})`);
    const observations = entriesOf(found).filter(({ resourceType }) => resourceType === 'Observation');
    demand(/"value":1\.30\b/.test(found.text), 'a result is read with each of its digits');
    this.narrator.tell('BE', `${observations.length} results read that DE asked of its hospital at that moment`);
  }

  private async refused(person: DemoPerson): Promise<void> {
    const handle = await matchAbroad(this.at('BE'), this.doctor('BE'), 'DE', person);
    demand(handle === undefined, 'whoever opted out is answered as unknown');
    this.narrator.tell('BE', 'the person who opted out is answered as unknown');
  }
}
