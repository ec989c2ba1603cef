import { randomUUID } from 'node:crypto';
import { canonicalJson, type ReleasedStep } from '@portolan/contracts';
import { LATE_STEP_TYP, outgoing } from '@portolan/domain';
import { JoseSigner } from '@portolan/jose';
import { CountryFolders, FileKeyVault, sha256, SystemClock } from '@portolan/keys';
import { partnerLinkOf } from '@portolan/nest';
import { leafHash, sealedRoot, utf8 } from '@portolan/verify';
import type { EmergencyWorld } from './emergency-world.js';

const SEALED = 'AAAA.AAAA.AAAA.AAAA.AAAA';

/**
 * What an EE that skips the channel would send: a sealed part with its own genuine word for a late release, over its own door key, for a
 * record that PT has asked for. It may be opened for `openMs` milliseconds.
 */
export async function lateEnvelope({ world }: EmergencyWorld, transferId: string, openMs: number): Promise<void> {
  const { config } = world.country('EE');
  const folders = new CountryFolders(config.home);
  const vault = new FileKeyVault({ folder: folders.keys('exchange'), clock: new SystemClock() });
  const now = Date.now();
  const hashes = [leafHash(utf8(SEALED), sha256)];
  const head = { kind: 'record', transferId, from: 'EE', to: 'PT' } as const;
  const leaf: ReleasedStep = {
    v: 1,
    step: 'released',
    transferId,
    from: 'EE',
    to: 'PT',
    by: 'EE',
    permitId: randomUUID(),
    ciphertextHash: sealedRoot(hashes, sha256),
    commitment: 'a'.repeat(64),
    limit: new Date(now + openMs).toISOString(),
    graceSeconds: 1,
    late: randomUUID(),
    time: new Date(now).toISOString(),
  };
  const late = await new JoseSigner(vault).sign('sign', LATE_STEP_TYP, canonicalJson(leaf));
  const [message] = outgoing(head, randomUUID(), { hashes, parts: [SEALED] }, leaf.limit, { late });
  if (message === undefined) throw new Error('an envelope has a part');
  const link = partnerLinkOf(
    { config, partners: { all: config.partners }, folders, logger: { failure: () => undefined, info: () => undefined } },
    vault,
  );
  await link.send('PT', message);
  await link.close();
}
