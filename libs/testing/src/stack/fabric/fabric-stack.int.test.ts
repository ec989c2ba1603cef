import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import type { OrgId } from '@portolan/contracts';
import { pemSigner } from '@portolan/fabric-channel';
import { GatewayChannelClient } from '@portolan/fabric-gateway';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keyPair } from '../certificates.js';
import { startOf } from '../own-process.js';
import { organisationFolders, type KeyFiles, type MemberName } from './folders.js';
import { ordererStatus } from './found.js';
import { fabricEngine, FabricStack, type FabricEngine, type FabricOptions } from './index.js';
import { findPlan, type NetworkPlan } from './plan.js';

const engine = await fabricEngine();
const absent = 'absent' in engine ? engine.absent : undefined;
const inCi = process.env['CI'] === 'true';
const trial = join(import.meta.dirname, 'trial-chaincode.mjs');
const countries = ['EE', 'PT', 'BE'] as const;

describe.skipIf(absent !== undefined && !inCi)(`a Fabric channel${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  let root: string;
  let options: FabricOptions;
  let stack: FabricStack;
  const clients: GatewayChannelClient[] = [];

  beforeAll(async () => {
    if (absent !== undefined) throw new Error(absent);
    // 0700, as a folder of keys is.
    root = await mkdtemp(join(tmpdir(), 'portolan-fabric-'));
    options = {
      folder: join(root, 'network'),
      engine: engine as FabricEngine,
      channel: 'trial',
      organisations: [...countries.map((org) => ({ org, kind: 'country' as const })), { org: 'REG', kind: 'regulator' }],
      chaincode: { name: 'notes', version: '1', others: 1, command: [process.execPath, trial] },
      endsWithUs: true,
    };
    stack = await FabricStack.start(options);
  }, 240_000);

  afterAll(async () => {
    await stack.stop();
    await rm(root, { recursive: true, force: true });
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  it('has four orderers that agree, and three peers with the chaincode beside each', async () => {
    expect(stack.status().map(({ org, part }) => `${part} ${org}`)).toEqual([
      ...countries.flatMap((org) => [`orderer ${org}`, `peer ${org}`, `chaincode ${org}`]),
      'orderer REG',
    ]);
    expect(stack.status().filter(({ pid }) => pid === undefined)).toEqual([]);
    for (const { org } of stack.organisations)
      expect(await ordererStatus(stack.commands(org))).toMatchObject({ status: 'active', consensusRelation: 'consenter' });
  });

  it('keeps keys for their owner alone', async () => {
    const { identities } = await stack.access('EE');
    for (const { key } of Object.values(identities)) expect((await stat(key)).mode & 0o777).toBe(0o600);
  });

  it('shows every country what one of them wrote with the word of another', async () => {
    await submit('EE', ['put', 'greeting', 'tere'], ['EE', 'PT']);
    for (const org of countries) await expect.poll(() => read(org, ['get', 'greeting'])).toBe('tere');
  });

  it('changes its configuration by the word of a majority of its members, and of no fewer', async () => {
    const before = await stack.admin('EE').config();
    const orderers = before.channel_group.groups['Orderer']!;
    const values = { ...orderers.values, BatchTimeout: { ...(orderers.values['BatchTimeout'] as object), value: { timeout: '333ms' } } };
    const groups = { ...before.channel_group.groups, Orderer: { ...orderers, values } };
    const update = await stack.admin('EE').update(before, { ...before, channel_group: { ...before.channel_group, groups } });
    const signed = await stack.admin('EE').sign(update!);
    await expect(stack.admin('PT').submit(signed)).rejects.toThrow(/policy|signature/i);
    expect((await stack.admin('EE').config()).sequence).toBe(before.sequence);
    await stack.admin('BE').submit(await stack.admin('PT').sign(signed));
    await expect.poll(async () => JSON.stringify(await stack.admin('EE').config()), { timeout: 20_000 }).toContain('333ms');
  });

  it('makes nothing valid that the writer alone endorsed', async () => {
    await expect(submit('EE', ['put', 'alone', 'x'], ['EE'])).rejects.toThrow('ENDORSEMENT_POLICY_FAILURE');
    expect(await read('PT', ['get', 'alone'])).toBe('');
  });

  it('makes nothing valid that two others endorsed in an owner’s collection', async () => {
    await expect(submit('PT', ['putOwned', 'EE', 'entry', 'x'], ['PT', 'BE'])).rejects.toThrow('ENDORSEMENT_POLICY_FAILURE');
    await submit('EE', ['putOwned', 'EE', 'entry', 'x'], ['EE', 'BE']);
    for (const org of countries) await expect.poll(() => read(org, ['hashOwned', 'EE', 'entry'])).toMatch(/^[0-9a-f]{64}$/);
  });

  it('makes nothing valid that a cheating chaincode and an honest one do not both say', async () => {
    await stack.replaceChaincode('PT', [process.execPath, trial, '--reads-as', 'a lie']);
    try {
      await expect(submit('EE', ['get', 'greeting'], ['EE', 'PT'])).rejects.toThrow(/proposal response|payloads do not match|mismatch/i);
      expect(await read('PT', ['get', 'greeting'])).toBe('a lie');
    } finally {
      await stack.replaceChaincode('PT', undefined);
    }
    expect(await read('PT', ['get', 'greeting'])).toBe('tere');
  });

  it.each<[MemberName, OrgId, unknown]>([
    ['notary', 'EE', { org: 'EE', role: 'notary' }],
    ['governance', 'PT', { org: 'PT', role: 'governance' }],
    ['admin', 'BE', { org: 'BE', role: null }],
  ])('tells the chaincode that the %s of %s calls', async (as, org, caller) => {
    expect(JSON.parse(await read(org, ['caller'], as))).toEqual(caller);
  });

  it('has a chaincode service that answers the peer of its country and nobody else', async () => {
    const port = (await planOf()).ports['EE']!.chaincode;
    const clientOf = (org: OrgId): KeyFiles => organisationFolders(options.folder, org).tls('chaincode-client');
    const knockWith = async ({ certificate, key }: Partial<KeyFiles>): Promise<string> => {
      const files = [(await stack.access('EE')).tlsAuthorityFile, certificate, key];
      const [ca, cert, privateKey] = await Promise.all(files.map(async (file) => (file === undefined ? undefined : readFile(file))));
      return knock({ port, ca, cert, key: privateKey });
    };
    expect(await knockWith(clientOf('EE'))).toBe('open');
    expect(await knockWith(clientOf('PT'))).toBe('closed');
    expect(await knockWith({})).toBe('closed');
  });

  it('certifies a key that a node holds, as the organisation’s notary', async () => {
    const { publicJwk } = keyPair();
    const pem = await stack.certify('EE', 'notary', publicJwk);
    expect(new X509Certificate(pem).subject).toBe('OU=client\nCN=notary EE');
    expect(new X509Certificate(pem).publicKey.export({ format: 'jwk' })).toEqual(publicJwk);
  });

  it('stops with two orderers of four dead, and goes on with one back', async () => {
    await Promise.all((['PT', 'REG'] as const).map((org) => stack.kill(org, 'orderer')));
    expect(await (await clientOf('BE')).attempt('put', ['two dead', 'x'], () => undefined)).toMatchObject({ is: 'unknown' });
    await stack.restart('PT', 'orderer');
    await write('BE', 'one back');
    await stack.restart('REG', 'orderer');
  }, 120_000);

  it.each(['EE', 'REG'])(
    'goes on with the orderer of %s dead, be it the leader, and takes it back',
    async (org) => {
      await stack.kill(org, 'orderer');
      expect(stack.status().find(({ org: of, part }) => of === org && part === 'orderer')?.pid).toBeUndefined();
      await write('PT', `without ${org}`);
      await expect.poll(() => read('EE', ['get', `without ${org}`])).toBe('written');
      await stack.restart(org, 'orderer');
      await write('BE', `with ${org}`);
      const heights = async (): Promise<unknown[]> =>
        Promise.all(stack.organisations.map(async (one) => (await ordererStatus(stack.commands(one.org)))?.height));
      // Traffic goes on, as it does on a channel where countries write heads: with it, an orderer that came back sees what it misses.
      const level = async (): Promise<number> => {
        const { size } = new Set(await heights());
        if (size > 1) await write('BE', `with ${org}, and on`);
        return size;
      };
      await expect.poll(level, { timeout: 60_000, interval: 3_000 }).toBe(1);
    },
    120_000,
  );

  it.each(['peer', 'chaincode'] as const)('takes a %s back that was killed', async (part) => {
    await stack.kill('BE', part);
    await write('EE', `without ${part}`);
    await stack.restart('BE', part);
    await expect.poll(() => read('BE', ['get', `without ${part}`]).catch(String), { timeout: 30_000 }).toBe('written');
  });

  it('is taken up where it runs, by whoever comes next', async () => {
    const before = stack.status();
    expect((await FabricStack.find(options.folder))?.status()).toEqual(before);
    expect((await FabricStack.start(options)).status()).toEqual(before);
  });

  it('stands up again on the same folder after it was stopped, with what it held', async () => {
    await stack.stop();
    expect(stack.status().filter(({ pid }) => pid !== undefined)).toEqual([]);
    stack = await FabricStack.start(options);
    expect(await read('BE', ['get', 'greeting'])).toBe('tere');
    await write('BE', 'again');
  }, 120_000);

  it('never ends a foreign process that was given the number of one of its own', async () => {
    await stack.kill('BE', 'chaincode');
    const foreign = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
    try {
      const noteFile = join(options.folder, 'be/chaincode/process.json');
      const note = JSON.parse(await readFile(noteFile, 'utf8')) as { process: object };
      await writeFile(noteFile, JSON.stringify({ ...note, process: { ...note.process, pid: foreign.pid } }));
      await stack.restart('BE', 'chaincode');
      expect(startOf(foreign.pid!)).toBeDefined();
    } finally {
      foreign.kill();
    }
  });

  it('says who cannot start where somebody else holds its port, and with its log’s last lines why it did not get ready', async () => {
    await stack.kill('BE', 'chaincode');
    const plan = JSON.parse(await readFile(join(options.folder, 'network.json'), 'utf8')) as {
      ports: Record<OrgId, { chaincode: number }>;
    };
    const { chaincode } = plan.ports['BE']!;
    const squatter = createServer();
    squatter.listen(chaincode, '127.0.0.1');
    await once(squatter, 'listening');
    try {
      await expect(stack.restart('BE', 'chaincode')).rejects.toThrow(
        `chaincode BE cannot start: another process listens on its port ${chaincode}`,
      );
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
    }
    const broken = ['-e', 'console.error("no such contract"); process.exit(1)'];
    await expect(stack.replaceChaincode('BE', [process.execPath, ...broken])).rejects.toThrow(/ended while it started[^]*no such contract/);
    await stack.replaceChaincode('BE', undefined);
  });

  it('refuses a folder that holds another network', async () => {
    await expect(FabricStack.start({ ...options, channel: 'other' })).rejects.toThrow('holds another Fabric network');
  });

  /** Through the organisation's own peer, which plans endorsements and hands to all orderers, until it is committed. */
  async function write(org: OrgId, key: string): Promise<void> {
    const client = await clientOf(org);
    const attempt = (): Promise<unknown> => client.attempt('put', [key, 'written'], () => undefined);
    await expect.poll(attempt, { timeout: 90_000 }).toEqual({ is: 'committed' });
  }

  /** Has the peers named endorse, one orderer order, and waits for the verdict of all peers named. */
  async function submit(org: OrgId, args: readonly string[], endorsers: readonly OrgId[]): Promise<void> {
    const commands = stack.commands(org);
    const to = [...commands.toOrderer, ...commands.endorsedBy(endorsers)];
    await commands.peer(['chaincode', 'invoke', ...call(args), ...to, '--waitForEvent'], 'notary');
  }

  async function clientOf(org: OrgId): Promise<GatewayChannelClient> {
    const { peer, tlsAuthorityPem, identities } = await stack.access(org);
    const [certificate, key] = await Promise.all(
      [identities.notary.certificate, identities.notary.key].map((file) => readFile(file, 'utf8')),
    );
    const client = new GatewayChannelClient({
      org,
      channel: options.channel,
      chaincode: options.chaincode.name,
      peer: { address: peer!, tls: { ca: tlsAuthorityPem } },
      identity: { certificate: certificate!, sign: pemSigner(key!) },
    });
    clients.push(client);
    return client;
  }

  const planOf = async (): Promise<NetworkPlan> => (await findPlan(options.folder))!;

  async function read(org: OrgId, args: readonly string[], as: MemberName = 'notary'): Promise<string> {
    return (await stack.commands(org).peer(['chaincode', 'query', ...call(args)], as)).trim();
  }

  const call = (args: readonly string[]): string[] => [
    '-C',
    options.channel,
    '-n',
    options.chaincode.name,
    '-c',
    JSON.stringify({ Args: args }),
  ];
});

/** Whether a server speaks HTTP/2 to this client: it begins, as soon as it has let somebody in. */
function knock(options: ConnectionOptions): Promise<'open' | 'closed'> {
  const socket = connect({ host: '127.0.0.1', ALPNProtocols: ['h2'], ...options });
  return new Promise((resolve) => {
    const settle = (answer: 'open' | 'closed'): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', () => settle('open'));
    socket.once('error', () => settle('closed'));
    socket.once('close', () => settle('closed'));
  });
}
