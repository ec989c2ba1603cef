import { PortolanError, type Instant } from '@portolan/contracts';
import type { Validity } from './certificates.port.js';
import type { KeyUse, OwnKey } from './keys.port.js';

/** Whether what is valid from the one instant to before the other may be used for something new. */
export const isLiveAt = ({ notBefore, notAfter }: Validity, now: Instant): boolean => notBefore <= now && now < notAfter;

/** The first live one of keys that are listed youngest first: what `current` of a vault answers. Throws `keys.none-live`. */
export function liveKey(keys: readonly OwnKey[], use: KeyUse, now: Instant): OwnKey {
  const live = keys.find((key) => isLiveAt(key, now));
  if (live === undefined) throw new PortolanError('keys.none-live', use);
  return live;
}
