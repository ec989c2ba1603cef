import type { Kid, PublicJwk } from '@portolan/contracts';

export type KeyUse = 'sign' | 'seal' | 'tls' | 'ledger';

/** One of a role's own key pairs, without its private half. */
export interface OwnKey {
  readonly kid: Kid;
  readonly use: KeyUse;
  readonly publicJwk: PublicJwk;
  /** RFC 3339 instants between which the key is used for new acts. */
  readonly notBefore: string;
  readonly notAfter: string;
}

/**
 * Keys that sign where they lie: files of this machine, or a token that gives no key away. ECDSA P-256 with SHA-256.
 */
export abstract class SigningKeys {
  /** The key to use now for new acts: the youngest live one. Throws `keys.none-live`. */
  abstract current(use: KeyUse): Promise<OwnKey>;
  /** All keys of a use that can still be needed. Youngest first. */
  abstract list(use: KeyUse): Promise<readonly OwnKey[]>;
  /** Over exactly these bytes; r ‖ s, 64 bytes (as JWS and WebCrypto have it). Throws `keys.unknown`, `keys.purpose-mismatch`. */
  abstract sign(kid: Kid, bytes: Uint8Array): Promise<Uint8Array>;
}

/** WebCrypto's CryptoKey; the handle of a key that cannot be read out. */
export type PrivateKeyHandle = InstanceType<typeof globalThis.CryptoKey>;

/**
 * The key pairs of one role: exchange has `sign`, `seal` and `tls`, notary has `ledger` and `tls`, edge none (design, section 3).
 * Private keys never leave the vault but as non-extractable handles.
 */
export abstract class KeyVault {
  /** The key to use now for new acts: the youngest live one. Throws `keys.none-live`. */
  abstract current(use: KeyUse): Promise<OwnKey>;
  /** All keys of a use that can still be needed: rotation overlaps. */
  abstract list(use: KeyUse): Promise<readonly OwnKey[]>;
  /** WebCrypto handle of the private key, non-extractable. Throws `keys.unknown`. */
  abstract privateKey(kid: Kid): Promise<PrivateKeyHandle>;
}

/** A data key wrapped by the node's master key: safe to store beside the data. Binary: version, key id, nonce, ciphertext, tag. */
export type WrappedKey = Uint8Array;

/**
 * Envelope encryption of data at rest (design, invariant 10). A data key belongs to a person (to a message until it is
 * matched, to a view while it lasts); destroying the stored wrapped key makes everything under it unreadable, also in backups.
 * AES-256-GCM with a fresh 96-bit nonce; `context` is bound as additional data, so a ciphertext cannot be moved to another row.
 */
export abstract class DataKeys {
  abstract create(): Promise<WrappedKey>;
  abstract encrypt(key: WrappedKey, plaintext: Uint8Array, context: string): Promise<Uint8Array>;
  /** Throws `keys.undecryptable` where key, context or bytes do not fit. */
  abstract decrypt(key: WrappedKey, ciphertext: Uint8Array, context: string): Promise<Uint8Array>;
}
