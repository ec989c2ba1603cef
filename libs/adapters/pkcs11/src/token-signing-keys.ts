import { createHash } from 'node:crypto';
import { PortolanError, type Kid, type PublicJwk } from '@portolan/contracts';
import { instant, jwkThumbprint, liveKey, SigningKeys, type Clock, type KeyUse, type OwnKey, type Validity } from '@portolan/domain';
import { CK, type Attribute, type Handle, type Pkcs11 } from './binding.js';
import type { Token } from './token.js';

const A = CK.attribute;
/** OBJECT IDENTIFIER of P-256 (SEC 2, 1.2.840.10045.3.1.7) in DER. */
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
const MAX_KEYS = 1_000;
/** `portolan <use> <notBefore>/<notAfter>`: what a file vault keeps in the description of a key. */
const LABEL = /^portolan (sign|ledger) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/;
const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());

export interface TokenSigningKeysConfig {
  readonly clock: Clock;
  /** How long a listing is believed, milliseconds; 1,000 where absent. */
  readonly refreshMs?: number;
}

/**
 * Signing keys in a PKCS#11 token: ECDSA P-256, made in it, never to leave it. Each is a pair of objects whose CKA_ID is the key id's bytes and
 * whose CKA_LABEL says what it is for and how long. Objects of others are left alone.
 */
export class TokenSigningKeys extends SigningKeys {
  /** Keys that were there when they were last used. */
  private readonly signedBy = new Set<Kid>();
  private listed: { at: number; keys: Promise<readonly OwnKey[]> } | undefined;

  constructor(
    private readonly token: Token,
    private readonly config: TokenSigningKeysConfig,
  ) {
    super();
  }

  async current(use: KeyUse): Promise<OwnKey> {
    return liveKey(await this.list(use), use, instant(this.config.clock.now()));
  }

  async list(use: KeyUse): Promise<readonly OwnKey[]> {
    return (await this.all()).filter((key) => key.use === use);
  }

  sign(kid: Kid, bytes: Uint8Array): Promise<Uint8Array> {
    return this.signDigest(kid, sha256(bytes));
  }

  /** Over a SHA-256 digest; r ‖ s, 64 bytes. Throws `keys.unknown`. */
  async signDigest(kid: Kid, digest: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.signOnce(kid, digest);
    } catch (error) {
      if (!(error instanceof PortolanError && error.code === 'keys.unknown' && this.signedBy.delete(kid))) throw error;
      // A token that was taken out and put back shows nothing to whoever looked before; one that was destroyed is not there anew either.
      await this.token.close();
      return this.signOnce(kid, digest);
    }
  }

  private signOnce(kid: Kid, digest: Uint8Array): Promise<Uint8Array> {
    return this.token.use(async (module, session) => {
      const key = findPair(module, session, CK.privateKey, kid);
      if (key === undefined) throw new PortolanError('keys.unknown', kid);
      module.C_SignInit(session, { mechanism: CK.ecdsa }, key);
      const signature = await module.C_SignAsync(session, Buffer.from(digest), Buffer.alloc(64));
      this.signedBy.add(kid);
      return new Uint8Array(signature);
    });
  }

  /** For the setup tool: makes a key in the token that is used for new acts within `validity`. */
  async generate(use: 'sign' | 'ledger', validity: Validity): Promise<OwnKey> {
    const label = `portolan ${use} ${validity.notBefore}/${validity.notAfter}`;
    this.listed = undefined;
    return this.token.use((module, session) => {
      const shared: readonly Attribute[] = [
        { type: A.token, value: true },
        { type: A.label, value: label },
      ];
      const made = module.C_GenerateKeyPair(
        session,
        { mechanism: CK.generateEc },
        [...shared, { type: A.ecParameters, value: P256 }, { type: A.verify, value: true }],
        [
          ...shared,
          { type: A.private, value: true },
          { type: A.sensitive, value: true },
          { type: A.extractable, value: false },
          { type: A.sign, value: true },
        ],
      ) as { publicKey: Handle; privateKey: Handle };
      const publicJwk = jwkOf(valueOf(module, session, made.publicKey, A.ecPoint));
      const kid = jwkThumbprint(publicJwk, sha256);
      // The private half last: a pair is there when it is found by its id.
      for (const half of [made.publicKey, made.privateKey]) module.C_SetAttributeValue(session, half, [{ type: A.id, value: idOf(kid) }]);
      return { kid, use, publicJwk, ...validity };
    });
  }

  /** Removes a key for good. Idempotent. */
  async destroy(kid: Kid): Promise<void> {
    this.listed = undefined;
    await this.token.use((module, session) => {
      for (const half of [CK.publicKey, CK.privateKey]) {
        const object = findPair(module, session, half, kid);
        if (object !== undefined) module.C_DestroyObject(session, object);
      }
    });
  }

  private all(): Promise<readonly OwnKey[]> {
    const now = this.config.clock.now();
    if (this.listed !== undefined && Math.abs(now - this.listed.at) < (this.config.refreshMs ?? 1_000)) return this.listed.keys;
    const keys = this.token.use((module, session) => readAll(module, session));
    this.listed = { at: now, keys };
    keys.catch(() => (this.listed = undefined));
    return keys;
  }
}

function readAll(module: Pkcs11, session: Handle): readonly OwnKey[] {
  const publicKeys = find(module, session, [
    { type: A.class, value: CK.publicKey },
    { type: A.keyType, value: CK.ec },
  ]);
  const keys = publicKeys.flatMap((object): OwnKey[] => {
    const [, use, notBefore, notAfter] = LABEL.exec(valueOf(module, session, object, A.label).toString('utf8')) ?? [];
    if ((use !== 'sign' && use !== 'ledger') || notBefore === undefined || notAfter === undefined) return [];
    const publicJwk = jwkOf(valueOf(module, session, object, A.ecPoint));
    const kid = jwkThumbprint(publicJwk, sha256);
    // Without a private half it was never finished, or is being destroyed.
    return findPair(module, session, CK.privateKey, kid) === undefined ? [] : [{ kid, use, publicJwk, notBefore, notAfter }];
  });
  return keys.sort((a, b) => b.notBefore.localeCompare(a.notBefore) || a.kid.localeCompare(b.kid));
}

const findPair = (module: Pkcs11, session: Handle, half: number, kid: Kid): Handle | undefined =>
  find(module, session, [
    { type: A.class, value: half },
    { type: A.id, value: idOf(kid) },
  ])[0];

function find(module: Pkcs11, session: Handle, template: readonly Attribute[]): readonly Handle[] {
  module.C_FindObjectsInit(session, template);
  try {
    return module.C_FindObjects(session, MAX_KEYS);
  } finally {
    module.C_FindObjectsFinal(session);
  }
}

const valueOf = (module: Pkcs11, session: Handle, object: Handle, type: number): Buffer =>
  module.C_GetAttributeValue(session, object, [{ type }])[0]?.value ?? Buffer.alloc(0);

const idOf = (kid: Kid): Buffer => Buffer.from(kid, 'base64url');

/** CKA_EC_POINT: an OCTET STRING in DER around the uncompressed point; some modules leave the wrapping away. */
function jwkOf(point: Buffer): PublicJwk {
  const bare = point.length === 67 && point[0] === 0x04 && point[1] === 0x41 ? point.subarray(2) : point;
  if (bare.length !== 65 || bare[0] !== 0x04) throw new PortolanError('keys.file-invalid', 'key in the token', 'not a P-256 point');
  return { kty: 'EC', crv: 'P-256', x: bare.subarray(1, 33).toString('base64url'), y: bare.subarray(33).toString('base64url') };
}
