import { randomUUID } from 'node:crypto';
import { canonicalJson, type CommittedPredecessor, type CountryCode } from '@portolan/contracts';
import { outgoing, sealContent, type EnvelopeHead } from '@portolan/domain';
import { JoseSealer } from '@portolan/jose';
import { sha256 } from '@portolan/keys';
import { base64url, commit, sealedRoot, utf8 } from '@portolan/verify';
import { backend, rows, stolenLink, stolenVault } from './backstage.js';
import type { SharedWorld } from './shared-world.js';

/** Whoever holds a country's exchange keys and certificates: what can be done with them without a step on the channel. */
export class Forger {
  constructor(
    private readonly world: SharedWorld,
    private readonly from: CountryCode,
    private readonly to: CountryCode,
  ) {}

  head(kind: EnvelopeHead['kind'], transferId: string): EnvelopeHead {
    return { kind, transferId, from: this.from, to: this.to };
  }

  /** Signed with the sender's real key and sealed to the receiver's. */
  async seal(kind: EnvelopeHead['kind'], transferId: string, content: string): Promise<{ hashes: string[]; parts: string[] }> {
    const { kid, publicJwk } = await stolenVault(this.world, this.to).current('seal');
    const sealer = new JoseSealer(stolenVault(this.world, this.from));
    const { hashes, parts } = await sealContent(sealer, sha256, content, this.head(kind, transferId), { kid, publicJwk });
    return { hashes: [...hashes], parts: [...parts] };
  }

  /** Writes one envelope into the receiver's inbox over mutual TLS; answers with its id. */
  async send(envelope: object & { readonly id?: string; readonly transferId?: string }): Promise<string> {
    const link = stolenLink(this.world, this.from);
    const { id = `${randomUUID()}.1`, transferId = randomUUID() } = envelope;
    try {
      await link.send(this.to, { id, key: transferId, body: utf8(JSON.stringify({ id, ...envelope })) });
    } finally {
      await link.close();
    }
    return id;
  }

  /** A record that nobody decided to release, for a transfer that the receiver asked for. */
  async record(
    transferId: string,
    text: string,
  ): Promise<{ sealed: { hashes: string[]; parts: string[] }; leaf: Record<string, unknown> }> {
    const salt = new Uint8Array(32).fill(7);
    const opening = canonicalJson({ v: 1, salt: base64url(salt), permitId: randomUUID(), custodian: this.from, recipient: this.to });
    const parties = { from: this.from, to: this.to };
    const record = { v: 1, transferId, ...parties, salt: base64url(salt), opening, contentType: 'application/fhir+json', record: text };
    const content = canonicalJson({ ...record, time: new Date().toISOString() });
    const sealed = await this.seal('record', transferId, content);
    const leaf = {
      ...{ v: 1, step: 'released', transferId, ...parties, by: this.from, permitId: randomUUID() },
      ciphertextHash: sealedRoot(sealed.hashes, sha256),
      commitment: commit(salt, utf8(content), sha256),
      limit: new Date(Date.now() + 2_000).toISOString(),
      graceSeconds: 0,
    };
    return { sealed, leaf };
  }

  async sendRecord(transferId: string, sealed: { hashes: string[]; parts: string[] }, step: CommittedPredecessor): Promise<void> {
    const [message] = outgoing(this.head('record', transferId), randomUUID(), sealed, new Date().toISOString(), { step });
    if (message === undefined) throw new Error('no part');
    const link = stolenLink(this.world, this.from);
    await link.send(this.to, { id: message.id, key: message.key, body: message.body }).finally(() => link.close());
  }
}

/**
 * Holds back everything that a country's exchange wants to send, as a slow line would, until `release` is called: what an attacker
 * writes meanwhile comes first. Twenty seconds at most.
 */
export async function holdBack(world: SharedWorld, country: string): Promise<{ release: () => Promise<void> }> {
  const mark = `scenario hold ${randomUUID()}`;
  const held = rows(
    world,
    country,
    `DO $$ /* ${mark} */ BEGIN LOCK TABLE exchange.outgoing IN SHARE ROW EXCLUSIVE MODE; PERFORM pg_sleep(20); END $$`,
  );
  const ended = held.catch(() => undefined);
  await backend(world, country, mark);
  return {
    async release() {
      await rows(world, country, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE $1 AND pid <> pg_backend_pid()`, [
        `DO%${mark}%`,
      ]);
      await ended;
    },
  };
}
