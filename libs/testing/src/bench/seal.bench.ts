import { randomBytes, webcrypto } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { PublicJwk } from '@portolan/contracts';
import { KeyVault, type KeyUse, type OwnKey, type PartHeader, type PrivateKeyHandle } from '@portolan/domain';
import { plainJose, SealingPool, type PlainJose } from '@portolan/jose';
import { sha256 } from '@portolan/keys';
import { thumbprint } from '@portolan/verify';
import { alternate, machine, rateOf, type Bench, type Measure } from './report.js';

const sizes = [1, 8, 64, 256, 1024];
const inHand = 4;

interface Extent {
  readonly rounds: number;
  readonly roundMs: number;
}
const goal = 1.5;
const header: PartHeader = { kind: 'record', transferId: '0f8fad5b-d9cb-469f-a165-70867728950e', from: 'EE', to: 'PT', n: 1, of: 1 };

/** Keys that are at hand, as they are in a running node. */
class OneKeyVault extends KeyVault {
  constructor(
    readonly own: OwnKey,
    readonly key: PrivateKeyHandle,
  ) {
    super();
  }
  override async current(): Promise<OwnKey> {
    return this.own;
  }
  override async list(): Promise<readonly OwnKey[]> {
    return [this.own];
  }
  override async privateKey(): Promise<PrivateKeyHandle> {
    return this.key;
  }
}

/** sign+encrypt and open+verify on the threads of a pool, several in flight, against `jose` awaited one by one. */
export const sealBench: Bench = {
  name: 'seal',
  description: 'sign+encrypt and open+verify, 1 to 1024 KB, against jose awaited one by one',
  async run(say, { quick = false, rounds = quick ? 1 : 7 } = {}) {
    const extent: Extent = { rounds, roundMs: quick ? 50 : 500 };
    const kbs = quick ? sizes.slice(0, 1) : sizes;
    const threads = Math.max(2, availableParallelism());
    const began = machine();
    const pool = new SealingPool({ threads, inHand });
    try {
      const measures: Measure[] = [];
      for (const kb of kbs) {
        for (const measure of await measuresOf(kb, pool, threads * inHand, extent)) {
          say(`${measure.what}: ${measure.value} against ${measure.peer} ${measure.unit}, ${measure.ratio} ×`);
          measures.push(measure);
        }
      }
      const load = `parts of ${kbs.join(', ')} KB; ours: ${threads} threads, ${threads * inHand} in flight; peer: one by one; ${rounds} rounds of ${extent.roundMs} ms in turns`;
      return { name: 'seal', machine: began, load, measures };
    } finally {
      await pool.close();
    }
  },
};

async function measuresOf(kb: number, pool: SealingPool, inFlight: number, { rounds, roundMs }: Extent): Promise<Measure[]> {
  const [sender, receiver] = [await newVault('sign'), await newVault('seal')];
  const plain = await plainJose(header, { sign: sender, seal: receiver });
  const content = new Uint8Array(randomBytes(kb * 1024));
  const ours = oursOf(pool, sender, receiver);
  const part = await proved(content, plain, ours);
  const against = (work: () => Promise<unknown>, peer: () => Promise<unknown>, what: string): Promise<Measure> =>
    alternate(`${what} ${kb} KB`, 'parts/s', {
      ours: () => rateOf(work, inFlight, roundMs),
      peer: () => rateOf(peer, 1, roundMs),
      goal,
      rounds,
    });
  return [
    await against(
      () => ours.seal(content),
      () => plain.seal(content),
      'sign and encrypt',
    ),
    await against(
      () => ours.open(part),
      () => plain.open(part),
      'open and verify',
    ),
  ];
}

function oursOf(pool: SealingPool, sender: OneKeyVault, receiver: OneKeyVault): PlainJose {
  const sealer = pool.sealer(sender);
  const opener = pool.sealer(receiver);
  const senders = async (): Promise<PublicJwk> => sender.own.publicJwk;
  return {
    seal: async (content) => sealer.seal(content, header, receiver.own),
    open: async (part) => (await opener.open(part, header, senders)).content,
  };
}

/** Plain jose opens ours, and we open what it sealed: else nothing is measured. */
async function proved(content: Uint8Array, plain: PlainJose, ours: PlainJose): Promise<Uint8Array> {
  const [byUs, byIt] = [await ours.seal(content), await plain.seal(content)];
  for (const opened of [await plain.open(byUs), await ours.open(byIt)]) {
    if (Buffer.compare(opened, content) !== 0) throw new Error('plain jose and ours do not open what the other sealed');
  }
  return byUs;
}

export async function newVault(use: Extract<KeyUse, 'sign' | 'seal'>): Promise<OneKeyVault> {
  const usages: ('sign' | 'deriveBits')[] = use === 'sign' ? ['sign'] : ['deriveBits'];
  const pair = await webcrypto.subtle.generateKey({ name: use === 'sign' ? 'ECDSA' : 'ECDH', namedCurve: 'P-256' }, false, usages);
  const { x = '', y = '' } = await webcrypto.subtle.exportKey('jwk', pair.publicKey);
  const publicJwk = { kty: 'EC', crv: 'P-256', x, y } as const;
  const term = { notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2028-01-01T00:00:00.000Z' };
  return new OneKeyVault({ kid: thumbprint(publicJwk, sha256), use, publicJwk, ...term }, pair.privateKey);
}
