import type { Instant } from '@portolan/contracts';
import type { ChaincodeInterface, ChaincodeResponse, ChaincodeStub } from 'fabric-shim-api';
import { KeyEndorsementPolicy } from 'fabric-shim';
import { createHash, randomUUID } from 'node:crypto';
import { certificates, type CertificateName } from './certificates.fixture.js';

/** What simulating one proposal at one endorser gave: its answer, the versions that it read, what it would write. */
export interface Simulation {
  readonly response: ChaincodeResponse;
  readonly reads: ReadonlyMap<string, number>;
  readonly writes: ReadonlyMap<string, Uint8Array>;
}

interface Proposal {
  readonly by: CertificateName;
  readonly org?: string;
  readonly time: Instant;
  readonly texts: readonly string[];
}

/**
 * Committed state as peers of one channel keep it, and the two halves of a Fabric transaction: `simulate` runs a chaincode on what is
 * committed, without its own writes, and `commit` takes the writes over unless something that was read has changed. A fake of the
 * interface that the shim gives a contract, not of the contract.
 */
export class MemoryChannel {
  /** By collection and key; `''` is the public state. Private data is kept in the clear here, and shown as hashes. */
  readonly state = new Map<string, { readonly bytes: Uint8Array; readonly version: number }>();
  /** Organisations whose peers must endorse another write of a public key. */
  readonly policies = new Map<string, string[]>();
  private commits = 0;

  constructor(private readonly chaincode: ChaincodeInterface) {}

  async simulate(proposal: Proposal): Promise<Simulation> {
    const reads = new Map<string, number>();
    const writes = new Map<string, Uint8Array>();
    const read = (collection: string, key: string): Uint8Array => {
      const found = this.state.get(place(collection, key));
      reads.set(place(collection, key), found?.version ?? 0);
      return found?.bytes ?? new Uint8Array();
    };
    const write = (collection: string, key: string, bytes: Uint8Array): void => void writes.set(place(collection, key), bytes);
    const stub = {
      getState: async (key: string) => read('', key),
      putState: async (key: string, bytes: Uint8Array) => write('', key, bytes),
      setStateValidationParameter: async (key: string, policy: Uint8Array) =>
        void this.policies.set(key, new KeyEndorsementPolicy(policy).listOrgs()),
      getPrivateDataHash: async (collection: string, key: string) => hashed(read(collection, key)),
      putPrivateData: async (collection: string, key: string, bytes: Uint8Array) => write(collection, key, bytes),
      ...identityOf(proposal),
    };
    const response = await this.chaincode.Invoke(stub as unknown as ChaincodeStub);
    return { response, reads, writes };
  }

  commit({ response, reads, writes }: Simulation): 'VALID' | 'MVCC_READ_CONFLICT' | 'not endorsed' {
    if (response.status !== 200) return 'not endorsed';
    const stale = [...reads].some(([key, version]) => (this.state.get(key)?.version ?? 0) !== version);
    if (stale) return 'MVCC_READ_CONFLICT';
    this.commits += 1;
    for (const [key, bytes] of writes) this.state.set(key, { bytes, version: this.commits });
    return 'VALID';
  }

  /** An act from proposal to commit; the answer's payload as JSON, or the refusal as the peer passes it on. */
  async submit(fn: string, args: unknown, by: CertificateName, time: Instant, id: string = randomUUID()): Promise<unknown> {
    const simulation = await this.simulate({ by, time, texts: [fn, id, JSON.stringify(args)] });
    this.commit(simulation);
    return answerOf(simulation.response);
  }

  /** A query's answer as text. */
  async ask(fn: string, ...args: string[]): Promise<string> {
    const { response } = await this.simulate({ by: 'PT notary', time: new Date(0).toISOString(), texts: [fn, ...args] });
    return Buffer.from(response.payload ?? []).toString('utf8');
  }
}

export function answerOf({ status, message, payload }: ChaincodeResponse): unknown {
  return JSON.parse(status === 200 ? Buffer.from(payload ?? []).toString('utf8') : (message ?? '')) as unknown;
}

export const place = (collection: string, key: string): string => `${collection}\u0000${key}`;

const hashed = (bytes: Uint8Array): Uint8Array => (bytes.length === 0 ? bytes : createHash('sha256').update(bytes).digest());

function identityOf({ by, org = by.split(' ')[0] ?? '', time, texts }: Proposal): object {
  const at = Date.parse(time);
  return {
    getCreator: () => ({ mspid: org, idBytes: Buffer.from(certificates[by]) }),
    getBufferArgs: () => texts.map((text) => Buffer.from(text)),
    getTxID: () => 'f'.repeat(64),
    getChannelID: () => 'trial',
    getTxTimestamp: () => ({ seconds: { toNumber: () => Math.floor(at / 1000) }, nanos: (at % 1000) * 1_000_000 }),
  };
}
