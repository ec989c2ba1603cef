/** What was stored: its size, and the SHA-256 of its bytes in hexadecimal. */
export interface StoredObject {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Names are paths of person-free ids: one to four segments of lower-case letters, digits, `-` and `_`, parted by `/`, such as
 * `views/6b2c…/image-1`. No dots, so that no name leaves its folder or hides in it.
 */
export const OBJECT_NAME = /^[a-z0-9_-]{1,80}(\/[a-z0-9_-]{1,80}){0,3}$/;

/** Large encrypted bytes beside the database: images and documents that never stand whole in memory. */
export abstract class Objects {
  /**
   * Stores all bytes or nothing: a reader sees the old object or the new one, never half of it.
   * Throws `objects.name-invalid`, `objects.too-large`.
   */
  abstract put(name: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredObject>;
  /** Reads piece by piece. Throws `objects.unknown` on the first piece. */
  abstract get(name: string): AsyncIterable<Uint8Array>;
  /** Resolves also where there is no such object. */
  abstract delete(name: string): Promise<void>;
  /** Names that are `prefix` or lie under it, in no order; all names where it is empty. */
  abstract list(prefix: string): AsyncIterable<string>;
}
