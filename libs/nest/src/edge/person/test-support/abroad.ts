import { englishWording, instant, release, type PersonId, type ViewResource } from '@portolan/domain';
import { hexOf } from '@portolan/verify';
import { viewResources } from '../../view-content.js';
import { people, type PersonNode } from './person-node.js';

/** What a clinician abroad reads of the person's laboratory results, by the real release and the real view. */
export async function seenAbroad(node: PersonNode, person: PersonId): Promise<readonly ViewResource[]> {
  const { country, sha256 } = node.parts;
  const stored = await node.run((tx) => tx.resources.ofPerson(person, ['laboratory'], 1_000));
  const scope = { categories: ['laboratory' as const] };
  const released = release({
    permit: { ...scope, identifiers: [people.mari] },
    asked: scope,
    gathered: stored.map((one) => ({ ...one, versionId: String(one.versionId), custodian: country.code })),
    custodian: { country: country.code, ...country.custodian },
    wording: englishWording,
    timestamp: instant(node.parts.clock.now()),
    sha256: (bytes) => hexOf(sha256(bytes)),
  });
  if (released === undefined) throw new Error('nothing is released');
  return viewResources(released.text, 'the-view', 'the-handle');
}
