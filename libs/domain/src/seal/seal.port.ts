import type { CompactJws, CountryCode, Kid, PublicJwk } from '@portolan/contracts';

/** What the signature inside a sealed part binds beside the content: a part cannot stand in for another. */
export interface PartHeader {
  /** Kind of envelope: request, answer, record, counter-receipt, notice. */
  readonly kind: string;
  readonly transferId: string;
  readonly from: CountryCode;
  readonly to: CountryCode;
  /** 1-based number of the part, and how many there are. */
  readonly n: number;
  readonly of: number;
}

export interface OpenedPart {
  readonly header: PartHeader;
  /** The exact bytes that the sender signed. */
  readonly content: Uint8Array;
  readonly senderKid: Kid;
}

/** A sealed part (the compact JWE) is at most this long, in bytes. */
export const SEALED_PART_MAX_BYTES = 2_000_000;
/** Content that always fits into one sealed part: base64url twice makes 16/9 of it, and headers come on top. */
export const PART_CONTENT_MAX_BYTES = 1_100_000;

/** Finds the registered `sign` key of a sender, valid at this moment; undefined where there is none (unknown, ended, foreign). */
export type SenderKeys = (country: CountryCode, kid: Kid) => Promise<PublicJwk | undefined>;

/**
 * Sign, then encrypt: JWS (RFC 7515, ES256) inside JWE (RFC 7516, ECDH-ES, A256GCM), compact serialisations. A sealed part is at
 * most 2 MB. Any JOSE library opens ours.
 */
export abstract class Sealer {
  /**
   * ASCII bytes of the compact JWE. `padTo` (bytes): the signed content is padded to the next multiple of about this length, by a
   * member of its protected header, so that all short answers are sealed to one length. Throws `seal.too-large`, `keys.none-live`.
   */
  abstract seal(
    content: Uint8Array,
    header: PartHeader,
    recipient: { kid: Kid; publicJwk: PublicJwk },
    options?: { padTo?: number },
  ): Promise<Uint8Array>;
  /**
   * Decrypts and verifies one part. Throws `seal.undecryptable` (no key of ours, altered ciphertext), `seal.signature-invalid`
   * (unknown, ended or foreign key; altered content), `seal.header-mismatch` (the signed header is not `expected`), `seal.too-large`.
   */
  abstract open(part: Uint8Array, expected: PartHeader, senders: SenderKeys): Promise<OpenedPart>;
}

/** Signs one text with the role's key of a use. The compact JWS is the exact record. */
export abstract class Signer {
  abstract sign(use: 'sign' | 'ledger', typ: string, payload: string): Promise<CompactJws>;
  /** Verifies under a given public key and answers with the payload's text. Throws `seal.signature-invalid`. */
  abstract verify(jws: CompactJws, typ: string, key: PublicJwk): Promise<string>;
}
