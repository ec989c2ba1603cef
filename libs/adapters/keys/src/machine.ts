import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Clock, Random } from '@portolan/domain';

export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }
}

export class SystemRandom extends Random {
  uuid(): string {
    return randomUUID();
  }

  bytes(count: number): Uint8Array {
    return new Uint8Array(randomBytes(count));
  }
}

/** SHA-256 (FIPS 180-4) by OpenSSL; domain's `Sha256`. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
