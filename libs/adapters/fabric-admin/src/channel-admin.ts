import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { changesInWords, type ChannelConfig } from './channel-config.js';

/** Fabric's own programs (`peer`, `configtxlator`), run for one organisation by its administrator. Bounded in time by whoever brings it. */
export interface AdminPrograms {
  readonly channel: string;
  /** `peer ARGS`, as the organisation's administrator towards its own peer; answers with standard output. */
  peer(args: readonly string[]): Promise<string>;
  /** `configtxlator ARGS`; it asks nobody. */
  configtxlator(args: readonly string[]): Promise<string>;
  /** Options by which `peer channel` reaches an orderer: `-o host:port --tls --cafile FILE`. */
  readonly toOrderer: readonly string[];
}

/** A change of the channel's configuration on its way: what members sign, byte for byte. */
export interface ConfigUpdate {
  /** common.Envelope with a common.ConfigUpdateEnvelope, with the signatures so far. */
  readonly envelope: Uint8Array;
}

const CONFIG_UPDATE = 2;
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Changes of a channel's configuration by Fabric's own programs: nothing here signs, encodes or decides by itself. A change is computed against
 * the newest configuration, signed by a majority's administrators one after another, and refused by the orderers where a signature lacks.
 */
export class ChannelAdmin {
  constructor(private readonly programs: AdminPrograms) {}

  /** The configuration in force, from an orderer. Throws `channel.config-unreadable`. */
  async config(): Promise<ChannelConfig> {
    return this.inFolder(async (folder) => {
      const block = join(folder, 'config.block');
      await this.fetchBlock(block);
      const json = await this.decoded(block, 'common.Block');
      const config = (json as { data?: { data?: { payload?: { data?: { config?: ChannelConfig } } }[] } }).data?.data?.[0]?.payload?.data
        ?.config;
      if (config?.channel_group === undefined) throw new PortolanError('channel.config-unreadable', 'newest configuration block');
      return config;
    });
  }

  /** Writes the newest configuration block to `file`: what a new orderer joins with. */
  async fetchBlock(file: string): Promise<void> {
    const { channel, toOrderer } = this.programs;
    await this.programs.peer(['channel', 'fetch', 'config', file, '-c', channel, ...toOrderer]);
  }

  /** The change from one configuration to the other, unsigned; undefined where there is none. */
  async update(before: ChannelConfig, after: ChannelConfig): Promise<ConfigUpdate | undefined> {
    if (changesInWords(before, after).length === 0) return undefined;
    return this.inFolder(async (folder) => {
      const at = (name: string): string => join(folder, name);
      await this.encode(before, 'common.Config', at('before.pb'));
      await this.encode(after, 'common.Config', at('after.pb'));
      const { channel } = this.programs;
      const files = ['--original', at('before.pb'), '--updated', at('after.pb'), '--output', at('update.pb')];
      await this.programs.configtxlator(['compute_update', '--channel_id', channel, ...files]);
      const update = await this.decoded(at('update.pb'), 'common.ConfigUpdate');
      const header = { channel_header: { channel_id: channel, type: CONFIG_UPDATE } };
      await this.encode({ payload: { header, data: { config_update: update } } }, 'common.Envelope', at('envelope.pb'));
      return { envelope: new Uint8Array(await readFile(at('envelope.pb'))) };
    });
  }

  /** Adds this organisation's signature. */
  async sign({ envelope }: ConfigUpdate): Promise<ConfigUpdate> {
    return this.withEnvelope(envelope, async (file) => {
      await this.programs.peer(['channel', 'signconfigtx', '-f', file]);
      return { envelope: new Uint8Array(await readFile(file)) };
    });
  }

  /** Hands a signed change to an orderer, with this organisation's signature too. Throws what the orderer said where too few have signed. */
  async submit({ envelope }: ConfigUpdate): Promise<void> {
    const { channel, toOrderer } = this.programs;
    await this.withEnvelope(envelope, (file) => this.programs.peer(['channel', 'update', '-f', file, '-c', channel, ...toOrderer]));
  }

  private async withEnvelope<T>(envelope: Uint8Array, work: (file: string) => Promise<T>): Promise<T> {
    if (envelope.length > MOST_BYTES) throw new PortolanError('channel.config-unreadable', 'signed change', `${envelope.length} bytes`);
    return this.inFolder(async (folder) => {
      const file = join(folder, 'envelope.pb');
      await writeFile(file, envelope);
      return work(file);
    });
  }

  private async encode(json: unknown, type: string, output: string): Promise<void> {
    const input = `${output}.json`;
    await writeFile(input, JSON.stringify(json));
    await this.programs.configtxlator(['proto_encode', '--input', input, '--type', type, '--output', output]);
  }

  private async decoded(input: string, type: string): Promise<unknown> {
    const output = `${input}.json`;
    await this.programs.configtxlator(['proto_decode', '--input', input, '--type', type, '--output', output]);
    return JSON.parse(await readFile(output, 'utf8'));
  }

  /** Configurations hold no secrets, yet they are nobody else's business while they are worked on. */
  private async inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'portolan-channel-'));
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
