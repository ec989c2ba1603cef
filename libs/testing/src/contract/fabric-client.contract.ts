import { randomUUID } from 'node:crypto';
import { ChannelClient, limits, type BlockStream, type Tried } from '@portolan/fabric-channel';
import { describe, expect, it } from 'vitest';
import { fabricClient, type FabricClientName } from '@portolan/nest';
import type { FabricCountry } from './fabric-world.js';
import type { Call } from './pursue.js';

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

/** An act that nothing stands against. */
export function permit(custodian: string, recipient: string): Call {
  const until = inMs(86_400_000);
  const args = { v: 1, id: randomUUID(), custodian, recipient, purpose: 'TREAT', until, commitment: 'ab'.repeat(32) };
  return { id: randomUUID(), fn: 'put-permit', args };
}

/** Loses the first answers of an SDK's client: after a transaction was committed, or before it was handed over. */
class LossyClient extends ChannelClient {
  tries = 0;

  constructor(
    private readonly inner: ChannelClient,
    private readonly losses: ('after' | 'before')[],
  ) {
    super();
  }

  async attempt(fn: string, texts: readonly string[], onOrdered: () => void): Promise<Tried> {
    this.tries += 1;
    const loss = this.losses.shift();
    if (loss !== 'before') {
      const tried = await this.inner.attempt(fn, texts, onOrdered);
      if (loss === undefined) return tried;
    }
    return { is: 'unknown', cause: new Error('the answer was lost') };
  }

  ask(fn: string, ...texts: string[]): Promise<string> {
    return this.inner.ask(fn, ...texts);
  }

  height(): Promise<number> {
    return this.inner.height();
  }

  blocks(from: number): Promise<BlockStream> {
    return this.inner.blocks(from);
  }

  close(): void {
    this.inner.close();
  }
}

interface Tools {
  readonly sdk: FabricClientName;
  readonly country: () => FabricCountry;
  /** An act of that country that nothing stands against. */
  readonly own: () => Call;
}

const texts = ({ id, args }: Call): string[] => [id, JSON.stringify(args)];
const partnerOf = (org: string): string => (org === 'EE' ? 'PT' : 'EE');

/** What every SDK behind the port `ChannelClient` does. `country`: one on a channel, with an open ledger; it is opened again by the suite. */
export function fabricClientContract(sdk: FabricClientName, country: () => FabricCountry): void {
  const own = (): Call => permit(country().org, partnerOf(country().org));
  describe(`the client ${sdk}`, () => {
    answers({ sdk, country, own });
    troubles({ sdk, country, own });
  });
}

function answers({ sdk, country, own }: Tools): void {
  const using = async (work: (client: ChannelClient) => Promise<void>): Promise<void> => {
    const client = await country().client('notary', sdk);
    try {
      await work(client);
    } finally {
      client.close();
    }
  };

  it('tells a commit, a refusal by our own peer with its code and place, and an act that stands already', async () => {
    await using(async (client) => {
      const act = own();
      let ordered = 0;
      expect(await client.attempt(act.fn, texts(act), () => (ordered += 1))).toEqual({ is: 'committed' });
      expect(ordered).toBe(1);
      expect(await client.ask('transaction-known', country().org, act.id)).toBe('true');
      const again = await client.attempt(act.fn, texts(act), () => (ordered += 1));
      expect(again).toMatchObject({ is: 'refused', code: 'orderer.transaction-duplicate' });
      const foreign = permit(partnerOf(country().org), 'BE');
      const refused = await client.attempt(foreign.fn, texts(foreign), () => (ordered += 1));
      expect(refused).toEqual({ is: 'refused', code: 'ledger.not-owner', where: 'put-permit' });
      expect(ordered).toBe(1);
    });
  });

  it('tells of two at once that write the same what became of each', async () => {
    await using(async (client) => {
      const act = own();
      const both = await Promise.all([0, 1].map(() => client.attempt(act.fn, texts(act), () => undefined)));
      expect(both.filter(({ is }) => is === 'committed')).toHaveLength(1);
      // Invalid at its commit, where both were endorsed on the same state; else refused as one that stands.
      expect(both.find(({ is }) => is !== 'committed')?.is).toMatch(/^(?:again|refused)$/);
      const other = await client.attempt(act.fn, texts(act), () => undefined);
      expect(other).toMatchObject({ is: 'refused', code: 'orderer.transaction-duplicate' });
    });
  });

  it('gives the peer’s blocks from the one asked for on, each once, until it is closed', async () => {
    await using(async (client) => {
      const height = await client.height();
      const act = own();
      for (const from of [0, height - 2]) {
        const stream = await client.blocks(from);
        const numbers: number[] = [];
        for await (const block of stream) {
          numbers.push(block.getHeader()?.getNumber() ?? -1);
          if (numbers.at(-1) === height - 1) await client.attempt(act.fn, texts(act), () => undefined);
          if ((numbers.at(-1) ?? 0) >= height) stream.close();
        }
        expect(numbers).toEqual(Array.from({ length: height + 1 - from }, (_, i) => from + i));
      }
    });
  });
}

function troubles({ sdk, country, own }: Tools): void {
  it('asks for an act whose answer was lost before it tries again: one transaction of it is valid', async () => {
    const losses: ('after' | 'before')[][] = [['after'], ['before'], ['before', 'after']];
    for (const lost of losses) {
      await country().close();
      let lossy: LossyClient | undefined;
      const ledger = await country().open((client) => (lossy = new LossyClient(client, [...lost])), sdk);
      const act = own();
      await ledger.submit(act);
      await expect.poll(() => ledger.outcome(act.id), { timeout: 10_000 }).toMatchObject({ valid: true });
      const { block } = (await ledger.outcome(act.id)) ?? { block: 0 };
      const blocks = await ledger.blocks(Math.max(0, block - 5), 50);
      expect(blocks.flatMap(({ transactions }) => transactions).filter(({ id }) => id === act.id)).toHaveLength(1);
      expect(lossy?.tries).toBe(lost.length + (lost.at(-1) === 'after' ? 0 : 1));
    }
    await country().close();
    await country().open();
  }, 60_000);

  it('is made where no peer answers, and says so within its time', async () => {
    const options = { ...country().place(), identity: await country().identity() };
    const client = await fabricClient(sdk, { ...options, peer: { ...options.peer, address: '127.0.0.1:9' } });
    try {
      const started = performance.now();
      await expect(client.ask('transaction-known', country().org, randomUUID())).rejects.toMatchObject({ code: 'ledger.unreachable' });
      const tried = await client.attempt('put-permit', texts(own()), () => undefined);
      expect(['again', 'unknown']).toContain(tried.is);
      expect(performance.now() - started).toBeLessThan(limits.evaluateMs + limits.endorseMs + 3_000);
    } finally {
      client.close();
    }
  }, 60_000);
}
