import { CompactEncrypt, compactDecrypt, type CompactJWEHeaderParameters, type CompactJWSHeaderParameters, type CryptoKey } from 'jose';
import { PortolanError, type Kid, type PublicJwk } from '@portolan/contracts';
import {
  SEALED_PART_MAX_BYTES,
  Sealer,
  type KeyVault,
  type OpenedPart,
  type PartHeader,
  type PrivateKeyHandle,
  type SenderKeys,
} from '@portolan/domain';
import { ImportedKeys } from './imported-keys.js';
import { coded, SIGNATURE, signCompact, verifyCompact } from './jws.js';
import { padded } from './padding.js';

const KEY_AGREEMENT = 'ECDH-ES';
const ENCRYPTION = 'A256GCM';
const JWE_TYPE = 'portolan-envelope+jwe';
const JWS_TYPE = 'portolan-part+jws';
const JWS_CONTENT = 'JWS';

/**
 * One part: a compact JWS over the content's exact bytes, protected header `{alg: ES256, kid, typ: portolan-part+jws, ptl: PartHeader,
 * pad?}`, as the plaintext of a compact JWE with `{alg: ECDH-ES, enc: A256GCM, kid, cty: JWS, typ: portolan-envelope+jwe, epk}`.
 */
export class JoseSealer extends Sealer {
  constructor(
    private readonly vault: KeyVault,
    private readonly keys = new ImportedKeys(),
  ) {
    super();
  }

  async seal(
    content: Uint8Array,
    header: PartHeader,
    recipient: { kid: Kid; publicJwk: PublicJwk },
    options: { padTo?: number } = {},
  ): Promise<Uint8Array> {
    if (content.length > SEALED_PART_MAX_BYTES) throw tooLarge(header);
    const { kid } = await this.vault.current('sign');
    const bare = { alg: SIGNATURE, kid, typ: JWS_TYPE, ptl: exactly(header) };
    const full = options.padTo === undefined ? bare : padded(bare, content.length, options.padTo);
    const jws = await signCompact(content, full, await this.vault.privateKey(kid));
    const jwe = await new CompactEncrypt(new TextEncoder().encode(jws))
      .setProtectedHeader({ alg: KEY_AGREEMENT, enc: ENCRYPTION, kid: recipient.kid, cty: JWS_CONTENT, typ: JWE_TYPE })
      .encrypt(await this.recipientKey(recipient));
    if (jwe.length > SEALED_PART_MAX_BYTES) throw tooLarge(header);
    return new TextEncoder().encode(jwe);
  }

  async open(part: Uint8Array, expected: PartHeader, senders: SenderKeys): Promise<OpenedPart> {
    const where = placeOf(expected);
    if (part.length > SEALED_PART_MAX_BYTES) throw tooLarge(expected);
    const jws = await this.decrypt(part, where);
    const findKey = async ({ kid, typ }: CompactJWSHeaderParameters): Promise<PublicJwk | undefined> =>
      kid === undefined || typ !== JWS_TYPE ? undefined : senders(expected.from, kid);
    const { header, payload } = await verifyCompact(jws, where, findKey, this.keys);
    if (!isSameHeader(header['ptl'], expected)) throw new PortolanError('seal.header-mismatch', where);
    return { header: expected, content: payload, senderKid: String(header['kid']) };
  }

  private async decrypt(part: Uint8Array, where: string): Promise<Uint8Array> {
    try {
      const { plaintext } = await compactDecrypt(part, (header) => this.ownKey(header, where), {
        keyManagementAlgorithms: [KEY_AGREEMENT],
        contentEncryptionAlgorithms: [ENCRYPTION],
        maxDecompressedLength: 0,
      });
      return plaintext;
    } catch (error) {
      throw coded(error, 'seal.undecryptable', where);
    }
  }

  /** The private key that a part says it is sealed to: one of our `seal` keys, never another. */
  private async ownKey(header: CompactJWEHeaderParameters, where: string): Promise<PrivateKeyHandle> {
    if (header.typ !== JWE_TYPE || header.cty !== JWS_CONTENT) throw new PortolanError('seal.undecryptable', where, 'not a sealed part');
    const own = (await this.vault.list('seal')).find((key) => key.kid === header.kid);
    if (own === undefined) throw new PortolanError('seal.undecryptable', where, 'not sealed to a key of ours');
    return this.vault.privateKey(own.kid);
  }

  private async recipientKey({ kid, publicJwk }: { kid: Kid; publicJwk: PublicJwk }): Promise<CryptoKey> {
    try {
      return await this.keys.import(publicJwk, KEY_AGREEMENT);
    } catch {
      throw new PortolanError('seal.recipient-invalid', kid);
    }
  }
}

/** Names the part by its person-free transfer id. */
const placeOf = (header: PartHeader): string => `transfer ${header.transferId}, ${header.kind} ${header.n}/${header.of}`;

/** The six members and nothing that a caller's object may have besides. */
const exactly = ({ kind, transferId, from, to, n, of }: PartHeader): PartHeader => ({ kind, transferId, from, to, n, of });

const tooLarge = (header: PartHeader): PortolanError => new PortolanError('seal.too-large', placeOf(header));

function isSameHeader(signed: unknown, expected: PartHeader): boolean {
  const members = Object.entries(exactly(expected));
  if (typeof signed !== 'object' || signed === null || Object.keys(signed).length !== members.length) return false;
  return members.every(([name, value]) => (signed as Record<string, unknown>)[name] === value);
}
