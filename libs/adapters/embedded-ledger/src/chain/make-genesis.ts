import {
  canonicalJson,
  type CompactJws,
  type Instant,
  type KeyRecord,
  type LedgerGenesis,
  type OrgId,
  type ParticipantKind,
  type PublicJwk,
  type TrustedParticipant,
  type Uuid,
} from '@portolan/contracts';
import { signJws, thumbprint } from '@portolan/verify';
import { sha256 } from './tools.js';
import { transactionText } from './transaction.js';

/** Signs with a key that the caller holds: r ‖ s of ECDSA P-256 over SHA-256, 64 bytes. */
export type SignBytes = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

/** The governance identity of an organisation, which no running process holds. */
export interface Governance {
  readonly org: OrgId;
  readonly jwk: PublicJwk;
  readonly sign: SignBytes;
}

export interface RegistryAct {
  readonly id: Uuid;
  readonly fn: string;
  readonly args: object;
}

type JwkKeyRecord = Exclude<KeyRecord, { use: 'ca' }>;
type CaRecord = Extract<KeyRecord, { use: 'ca' }>;

/** A key or CA certificate that an organisation registers in block 0. */
export type FoundingKey = Omit<JwkKeyRecord, 'v' | 'org' | 'kid'> | Omit<CaRecord, 'v' | 'org'>;

export interface FoundingOrganisation {
  readonly kind: ParticipantKind;
  readonly governance: Governance & { readonly notBefore: Instant; readonly notAfter: Instant };
  readonly keys: readonly FoundingKey[];
  /** Further registry acts of block 0, such as put-policy. */
  readonly acts?: readonly Omit<RegistryAct, 'id'>[];
}

export interface GenesisPlan {
  readonly channel: string;
  readonly time: Instant;
  /** The organisation that orders and its ledger key, which signs headers. */
  readonly orderer: { readonly org: OrgId; readonly jwk: PublicJwk };
  readonly organisations: readonly FoundingOrganisation[];
  /** The channel's clock window; 120 seconds where absent. */
  readonly clockWindowSeconds?: number;
  readonly uuid: () => Uuid;
}

/** For setup tools: the exact text of a genesis document, the registry acts of block 0 signed by each governance identity. */
export async function makeGenesis(plan: GenesisPlan): Promise<string> {
  const { channel, time, orderer } = plan;
  const transactions: CompactJws[] = [];
  for (const organisation of plan.organisations) {
    for (const act of foundingActs(organisation)) {
      transactions.push(await signRegistryAct({ ...act, id: plan.uuid() }, organisation.governance, channel, time));
    }
  }
  const { clockWindowSeconds } = plan;
  const window = clockWindowSeconds === undefined ? {} : { clockWindowSeconds };
  const organisations = plan.organisations.map(participantOf);
  return canonicalJson({ v: 1, channel, time, ...window, orderer, organisations, transactions } satisfies LedgerGenesis);
}

/** A registry act as a transaction of the governance identity, ready to be handed in. */
export async function signRegistryAct(
  act: RegistryAct,
  { org, jwk, sign }: Governance,
  channel: string,
  time: Instant,
): Promise<CompactJws> {
  const { id, fn, args } = act;
  const text = transactionText({ v: 1, channel, org, role: 'governance', id, time, fn, args: { ...args } });
  return signJws('transaction', thumbprint(jwk, sha256), text, sign);
}

/** An organisation as the channel admits it: with its governance key alone; the rest it registers by itself. */
export function participantOf({ kind, governance }: Pick<FoundingOrganisation, 'kind' | 'governance'>): TrustedParticipant {
  const { org, jwk, notBefore, notAfter } = governance;
  return { org, kind, keys: [{ kid: thumbprint(jwk, sha256), use: 'governance', jwk, notBefore, notAfter }] };
}

/** Arguments of put-key for a key or CA certificate of `org`. */
export function putKeyArgs(org: OrgId, key: FoundingKey): KeyRecord {
  return key.use === 'ca' ? { v: 1, org, ...key } : { v: 1, org, kid: thumbprint(key.jwk, sha256), ...key };
}

function foundingActs({ governance, keys, acts }: FoundingOrganisation): Omit<RegistryAct, 'id'>[] {
  return [...keys.map((key) => ({ fn: 'put-key', args: putKeyArgs(governance.org, key) })), ...(acts ?? [])];
}
