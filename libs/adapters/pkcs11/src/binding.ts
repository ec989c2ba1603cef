import { createRequire } from 'node:module';
import { PortolanError } from '@portolan/contracts';

/** A session, slot or object of the token's module. */
export type Handle = Buffer;

export interface Attribute {
  readonly type: number;
  readonly value?: number | boolean | string | Buffer;
}

/** What is used of pkcs11js 2.1.7 (PKCS#11 v2.40); it is compiled by tools/engines/pkcs11 and no package of the house's lock. */
export interface Pkcs11 {
  load(path: string): void;
  close(): void;
  C_Initialize(options?: { flags: number }): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): { readonly label: string };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_Login(session: Handle, userType: number, pin: string): void;
  C_FindObjectsInit(session: Handle, template: readonly Attribute[]): void;
  C_FindObjects(session: Handle, most: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(session: Handle, object: Handle, template: readonly Attribute[]): { readonly type: number; readonly value: Buffer }[];
  C_GenerateKeyPair(session: Handle, mechanism: object, publicKey: readonly Attribute[], privateKey: readonly Attribute[]): object;
  C_SetAttributeValue(session: Handle, object: Handle, template: readonly Attribute[]): void;
  C_DestroyObject(session: Handle, object: Handle): void;
  C_SignInit(session: Handle, mechanism: object, key: Handle): void;
  C_SignAsync(session: Handle, digest: Buffer, signature: Buffer): Promise<Buffer>;
}

/** Loads the binding from the folder where it was compiled. Throws `keys.token-unavailable`. */
export function loadBinding(folder: string): Pkcs11 {
  try {
    const { PKCS11 } = createRequire(import.meta.url)(folder) as { PKCS11: new () => Pkcs11 };
    return new PKCS11();
  } catch {
    throw new PortolanError('keys.token-unavailable', 'PKCS#11 binding', 'node tools/engines/pkcs11/install.mjs --binding-only makes it');
  }
}

/** Numbers of PKCS#11 v2.40, `pkcs11t.h`. */
export const CK = {
  user: 1,
  serialSession: 4,
  readWriteSession: 2,
  osLocking: 2,
  publicKey: 2,
  privateKey: 3,
  ec: 3,
  generateEc: 0x1040,
  ecdsa: 0x1041,
  attribute: {
    class: 0x0,
    token: 0x1,
    private: 0x2,
    label: 0x3,
    keyType: 0x100,
    id: 0x102,
    sensitive: 0x103,
    sign: 0x108,
    verify: 0x10a,
    extractable: 0x162,
    ecParameters: 0x180,
    ecPoint: 0x181,
  },
} as const;

/** The return value of the module that a failed call had, as pkcs11js tells it. */
export const returnValueOf = (error: unknown): number | undefined => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
};

/** Names of return values: what the module says of the PIN is final, for each wrong one counts towards its lock. */
export const PIN_REFUSED: ReadonlySet<number> = new Set([0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0x102]);
export const ALREADY_INITIALIZED = 0x191;
export const ALREADY_LOGGED_IN = 0x100;
