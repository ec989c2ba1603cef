import { PortolanError } from '@portolan/contracts';
import {
  blockOf,
  ChannelClient,
  consensusIn,
  heightIn,
  limits,
  unreachable,
  validationCode,
  type BlockStream,
  type ChannelClientOptions,
  type Tried,
} from '@portolan/fabric-channel';
import { Commits } from './commits.js';
import { Connection } from './connection.js';
import { Delivery, type DeliverResponse } from './delivery.js';
import { Endorsing } from './endorsing.js';
import { Ordering } from './ordering.js';
import { within } from './within.js';

/**
 * Over `fabric-network` 2.2: endorsers and orderers are found through our own peer, and asked by this client itself. For channels whose orderers
 * agree by Raft; one of BFT orderers is refused (`ledger.client-unfit-for-bft`).
 */
export class NetworkChannelClient extends ChannelClient {
  private readonly endorsing: Endorsing;
  private readonly ordering: Ordering;
  private readonly commits: Commits;
  private looking: Promise<void> | undefined;
  private closed = false;

  private constructor(private readonly connection: Connection) {
    super();
    this.endorsing = new Endorsing(connection);
    this.ordering = new Ordering(connection);
    this.commits = new Commits(connection);
  }

  /** Throws `ledger.client-unfit-for-bft`. Where our own peer cannot be reached now, the channel is looked at before its first use. */
  static async open(options: ChannelClientOptions): Promise<NetworkChannelClient> {
    const client = new NetworkChannelClient(await Connection.open(options));
    try {
      await client.fit();
    } catch (error) {
      if (isUnfit(error)) {
        client.close();
        throw error;
      }
    }
    return client;
  }

  async attempt(fn: string, texts: readonly string[], onOrdered: () => void): Promise<Tried> {
    try {
      await this.fit();
      return await this.brought(fn, texts, onOrdered);
    } catch (error) {
      return isUnfit(error) ? { is: 'again', code: error.code } : { is: 'unknown', cause: error };
    }
  }

  async ask(fn: string, ...texts: string[]): Promise<string> {
    await this.fit();
    return Buffer.from(await this.connection.query(this.connection.options.chaincode, fn, texts)).toString('utf8');
  }

  async height(): Promise<number> {
    await this.fit();
    return heightIn(await this.connection.query('qscc', 'GetChainInfo', [this.connection.options.channel]));
  }

  /** A channel may be taken from Raft to BFT as it runs: it is looked at again each time a stream is opened. */
  async blocks(from: number): Promise<BlockStream> {
    this.looking = undefined;
    await this.fit();
    const delivery = await Delivery.open(this.connection, 'full', from).catch((error: unknown) => {
      throw unreachable(error);
    });
    return { [Symbol.asyncIterator]: () => blocksOf(delivery), close: () => delivery.close() };
  }

  close(): void {
    this.closed = true;
    this.commits.close();
    this.connection.close();
  }

  private async brought(fn: string, texts: readonly string[], onOrdered: () => void): Promise<Tried> {
    const { connection, endorsing, ordering, commits } = this;
    const tried = await within(limits.endorseMs, endorsing.endorse(fn, texts)).catch(notEndorsed);
    if ('is' in tried) return tried;
    const commit = await connection.ready(tried.endorsement.newCommit());
    await commits.seen();
    onOrdered();
    const txId = tried.endorsement.getTransactionId();
    const committed = commits.of(txId);
    const told = await within(limits.orderMs, ordering.hand(commit));
    if (told !== undefined) {
      commits.forget(txId);
      return told;
    }
    const code = await committed;
    if (code === undefined) return { is: 'unknown', cause: new Error('no commit in time') };
    const invalid = validationCode(code);
    return invalid === undefined ? { is: 'committed' } : { is: 'again', code: invalid };
  }

  /** Looks once how the channel's orderers agree; again, where our own peer did not answer. */
  private fit(): Promise<void> {
    if (this.closed) return Promise.reject(unreachable(new Error('closed')));
    this.looking ??= refuseBft(this.connection).catch((error: unknown) => {
      this.looking = undefined;
      throw error;
    });
    return this.looking;
  }
}

/** Nothing was handed over yet. */
const notEndorsed = (): Tried => ({ is: 'again', code: 'ledger.endorsement-failed' });

const isUnfit = (error: unknown): error is PortolanError => error instanceof PortolanError && error.code === 'ledger.client-unfit-for-bft';

async function refuseBft(connection: Connection): Promise<void> {
  const { channel } = connection.options;
  const consensus = consensusIn(await connection.query('cscc', 'GetConfigBlock', [channel]));
  if (consensus === 'BFT') throw new PortolanError('ledger.client-unfit-for-bft', `channel ${channel}`);
}

async function* blocksOf(delivery: Delivery): ReturnType<BlockStream[typeof Symbol.asyncIterator]> {
  for await (const { block } of delivery) if (block !== undefined) yield blockIn(block);
}

const blockIn = ({ header, data, metadata }: NonNullable<DeliverResponse['block']>): ReturnType<typeof blockOf> =>
  blockOf({
    number: header.number.toNumber(),
    previousHash: header.previous_hash,
    dataHash: header.data_hash,
    data: data.data,
    metadata: metadata.metadata,
  });
