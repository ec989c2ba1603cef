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

interface Opened {
  readonly connection: Connection;
  readonly endorsing: Endorsing;
  readonly ordering: Ordering;
  readonly commits: Commits;
}

/**
 * Over `fabric-network` 2.2: endorsers and orderers are found through our own peer, and asked by this client itself. For channels whose orderers
 * agree by Raft; one of BFT orderers is refused (`ledger.client-unfit-for-bft`).
 */
export class NetworkChannelClient extends ChannelClient {
  private opening: Promise<Opened> | undefined;
  private closed = false;

  private constructor(private readonly options: ChannelClientOptions) {
    super();
  }

  /** Throws `ledger.client-unfit-for-bft`. Where our own peer cannot be reached now, the channel is looked at before its first use. */
  static async open(options: ChannelClientOptions): Promise<NetworkChannelClient> {
    const client = new NetworkChannelClient(options);
    try {
      await client.opened();
      return client;
    } catch (error) {
      if (!isUnfit(error)) return client;
      client.close();
      throw error;
    }
  }

  async attempt(fn: string, texts: readonly string[], onOrdered: () => void): Promise<Tried> {
    try {
      return await this.brought(await this.opened(), { fn, texts, onOrdered });
    } catch (error) {
      return isUnfit(error) ? { is: 'again', code: error.code } : { is: 'unknown', cause: error };
    }
  }

  async ask(fn: string, ...texts: string[]): Promise<string> {
    const { connection } = await this.opened();
    return Buffer.from(await connection.query(this.options.chaincode, fn, texts)).toString('utf8');
  }

  async height(): Promise<number> {
    const { connection } = await this.opened();
    return heightIn(await connection.query('qscc', 'GetChainInfo', [this.options.channel]));
  }

  /** A channel may be taken from Raft to BFT as it runs: it is looked at again each time a stream is opened. */
  async blocks(from: number): Promise<BlockStream> {
    const { connection } = await this.opened();
    await refuseBft(connection);
    const delivery = await Delivery.open(connection, 'full', from).catch((error: unknown) => {
      throw unreachable(error);
    });
    return { [Symbol.asyncIterator]: () => blocksOf(delivery), close: () => delivery.close() };
  }

  close(): void {
    this.closed = true;
    this.opening?.then(shut).catch(() => undefined);
  }

  private async brought(
    { connection, endorsing, ordering, commits }: Opened,
    { fn, texts, onOrdered }: { readonly fn: string; readonly texts: readonly string[]; readonly onOrdered: () => void },
  ): Promise<Tried> {
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

  private opened(): Promise<Opened> {
    if (this.closed) return Promise.reject(unreachable(new Error('closed')));
    this.opening ??= this.connect().catch((error: unknown) => {
      this.opening = undefined;
      throw unreachable(error);
    });
    return this.opening;
  }

  private async connect(): Promise<Opened> {
    const connection = await Connection.open(this.options);
    try {
      await refuseBft(connection);
    } catch (error) {
      connection.close();
      throw error;
    }
    const parts = { endorsing: new Endorsing(connection), ordering: new Ordering(connection), commits: new Commits(connection) };
    return { connection, ...parts };
  }
}

function shut({ connection, commits }: Opened): void {
  commits.close();
  connection.close();
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
