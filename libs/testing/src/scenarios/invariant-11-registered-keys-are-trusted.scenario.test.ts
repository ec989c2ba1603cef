import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '@portolan/verify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../story/cli-process.js';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained } from './abroad.js';
import { rows, stolenLink, stolenVault } from './backstage.js';
import { newcomer, type Newcomer } from './cast.js';
import { runsOnFabric } from './channel.js';
import { RegistryOffice } from './registry-office.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

/** Design, invariant 11: within two seconds of the block's commit at the other country's own peer. */
const BITES_WITHIN_MS = 2_000;

describe('country nodes trust registered keys, and an ended key no more', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let asker: Asker;
  let genuine: Obtained;
  let office: RegistryOffice;
  let receipt: string;
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'PT');
    asker = new Asker(world, 'BE', 'PT');
    office = new RegistryOffice(world, 'BE');
    genuine = await asker.obtain(person, ['summary']);
    receipt = await receiptOf(genuine.transfer);
  });
  afterAll(async () => {
    for (const close of closing) await close();
  });

  async function receiptOf(transfer: string): Promise<string> {
    const pt = world.at('PT');
    const token = await pt.login('regulator');
    let text = '';
    await eventually('the receipt is whole', async () => {
      const answer = await pt.call(`/regulator/receipts/${transfer}?step=released`, { token });
      text = answer.text;
      return answer.status === 200 && text.includes('counterReceipt');
    });
    const file = join(world.provisioned.folder, `${transfer}.receipt.json`);
    await writeFile(file, text);
    return file;
  }
  async function verified(): Promise<number> {
    const trust = join(world.provisioned.folder, 'trust-of-invariant-11.json');
    await writeFile(trust, (await world.at('PT').call('/regulator/trust', { token: await world.at('PT').login('regulator') })).text);
    return (await runCli(world.provisioned.folder, ['verify', receipt, '--trust', trust])).code;
  }
  /** Sends something that PT's inbox takes from BE, whatever it says, until it is refused; milliseconds until then. */
  async function untilRefused(send: () => Promise<void>): Promise<{ ms: number; code: string }> {
    const begun = performance.now();
    for (;;) {
      try {
        await send();
      } catch (error) {
        return { ms: performance.now() - begun, code: (error as { code?: string }).code ?? String(error) };
      }
      if (performance.now() - begun > 3 * BITES_WITHIN_MS) throw new Error('an ended key is still let in');
    }
  }
  const lineOf = (link = stolenLink(world, 'BE')): (() => Promise<void>) => {
    closing.push(() => link.close());
    return () => link.send('PT', { id: `${randomUUID()}.1`, key: randomUUID(), body: utf8('knocking') });
  };
  const ended = (kid: string) =>
    rows(world, 'PT', 'SELECT 1 FROM notary.trail_key WHERE org = $1 AND kid = $2 AND ended_at IS NOT NULL', ['BE', kid]);

  it('takes a registry act from the governance identity of that country alone', async () => {
    const { kid } = await stolenVault(world, 'BE').current('sign');
    const stranger = new RegistryOffice(world, 'EE');
    const args = { v: 1, org: 'BE', kid };
    // In BE's name under another country's governance key, and by another country's in its own name.
    const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);
    const forged = office.forge('end-key', args, stranger).then(() => 'taken', codeOf);
    const foreign = stranger.act('end-key', args, 'PT').then(() => 'taken', codeOf);
    const codes = await Promise.all([forged, foreign]);
    // Fabric refuses before anything is ordered; the embedded ledger's orderer may order it, and each copy judges it to nothing.
    if (runsOnFabric(world)) for (const code of codes) expect(code).not.toBe('taken');
    expect(await ended(kid)).toEqual([]);
    expect(await asker.find(person)).toBeDefined();
  });

  it('answers nothing to a request under an ended signing key, and knows the next one', async () => {
    const { kid } = await stolenVault(world, 'BE').current('sign');
    await office.endKey(kid, 'PT');
    const { transfer } = await asker.begin(genuine.handle, ['summary']);
    await eventually('PT set the request aside', async () => {
      const found = await rows<{ type: string; outcome: string }>(
        world,
        'PT',
        'SELECT type, outcome FROM exchange.audit_event WHERE transfer_id = $1',
        [transfer],
      );
      return found.some(({ type, outcome }) => type === 'release-refused' && outcome === 'failed');
    });
    const sent = await rows(world, 'PT', 'SELECT 1 FROM exchange.outgoing WHERE key = $1', [transfer]);
    expect(sent).toEqual([]);
    await office.renew('sign', 'PT');
    await eventually('BE is answered again', async () => (await asker.find(person)) !== undefined);
  });

  it('shuts the door on an ended TLS key within two seconds, also on a connection that stands', async () => {
    const [standing, fresh] = [lineOf(), lineOf()];
    const { kid } = await stolenVault(world, 'BE').current('tls');
    await standing();
    await office.endKey(kid, 'PT');
    const refusals = await Promise.all([untilRefused(standing), untilRefused(fresh)]);
    for (const { ms, code } of refusals) {
      expect(ms).toBeLessThan(BITES_WITHIN_MS);
      expect(code).toMatch(/^exchange\./);
    }
    const key = await office.renew('tls', 'PT');
    await office.admitted(key);
    await eventually('BE is let in again, under its new key', async () => (await asker.find(person)) !== undefined);
  });

  it('still verifies what was received and signed under the keys that have ended', async () => {
    expect(await verified()).toBe(0);
    const text = JSON.parse(await readFile(receipt, 'utf8')) as { counterReceipt: string };
    const [header, payload, signature = ''] = text.counterReceipt.split('.');
    const forged = {
      ...text,
      counterReceipt: [header, payload, `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`].join('.'),
    };
    await writeFile(receipt, JSON.stringify(forged));
    expect(await verified()).toBe(1);
  });
});
