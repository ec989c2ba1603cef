import type { AdmittedOrganisation, ChannelConfig, KeyRecord, Kid, OrgId, ParticipantRecord } from '@portolan/contracts';
import type { LedgerCopyStore } from '@portolan/domain';
import {
  findRecord,
  keysOf,
  keyText,
  names,
  type Entry,
  type RecordName,
  type StateKey,
  type Value,
  type Values,
  type Write,
} from '@portolan/ledger-rules';
import { hexOf, textOf, utf8, type Sha256 } from '@portolan/verify';

/** State value that lists the admitted organisations: the one key that no country owns. */
export const configKey: StateKey = { space: 'public', key: 'config/organisations' };

/** What a store keeps for a write: the bytes of a public key, of an owned one the hash alone, as Fabric's peers do. */
export function storedValue({ key, bytes }: Write, sha256: Sha256): Uint8Array {
  return key.space === 'public' ? bytes : utf8(hexOf(sha256(bytes)));
}

/** A stored value as rules read it. */
export function valueOf(key: StateKey, stored: Uint8Array): Value {
  return key.space === 'public' ? { bytes: stored } : { hash: textOf(stored) };
}

/** Records on one copy, believed only where the owner's entry has the hash of the public bytes. */
export class Records {
  constructor(
    private readonly store: LedgerCopyStore,
    private readonly sha256: Sha256,
  ) {}

  /** What a rule sees of `keys`. */
  async values(keys: readonly StateKey[]): Promise<Values> {
    const stored = await this.store.read(keys.map(keyText));
    return new Map(keys.flatMap((key, i) => pair(key, stored[i])));
  }

  /** Entries in the order of `wanted`, in one read; undefined where absent or forged. */
  async entries<R>(wanted: readonly RecordName[]): Promise<readonly (Entry<R> | undefined)[]> {
    const values = await this.values(wanted.flatMap(keysOf));
    return wanted.map((name) => {
      const found = findRecord<R>(name, values, this.sha256);
      return found.is === 'present' ? found.entry : undefined;
    });
  }

  /** Public bytes of a record, given only where they are what the owner's entry holds. */
  async bytes(name: RecordName): Promise<Uint8Array | undefined> {
    const [open, owned] = await this.store.read(keysOf(name).map(keyText));
    if (open === undefined || owned === undefined) return undefined;
    return hexOf(this.sha256(open)) === textOf(owned) ? open : undefined;
  }

  async admitted(): Promise<readonly AdmittedOrganisation[]> {
    const [stored] = await this.store.read([keyText(configKey)]);
    return stored === undefined ? [] : (JSON.parse(textOf(stored)) as ChannelConfig).organisations;
  }

  /** Organisations that take part now, with their kind. */
  async participants(): Promise<readonly ParticipantRecord[]> {
    const orgs = (await this.admitted()).map(({ org }) => org);
    const records = await this.entries<ParticipantRecord>([...orgs.map(names.participant), ...orgs.map(names.participantEnd)]);
    return orgs.flatMap((_, i) => {
      const here = records[i]?.record;
      return here === undefined || records[orgs.length + i] !== undefined ? [] : [here];
    });
  }

  /** A registered key and when it ended; undefined where this organisation has none of that kid. */
  async key(org: OrgId, kid: Kid): Promise<{ readonly record: KeyRecord; readonly ended: string | undefined } | undefined> {
    const [key, end] = await this.entries<KeyRecord>([names.key(org, kid), names.keyEnd(org, kid)]);
    return key === undefined ? undefined : { record: key.record, ended: end?.at };
  }

  /** The participant whose live registered TLS key this is. */
  async ownerOfTlsKey(kid: Kid, now: string): Promise<OrgId | undefined> {
    for (const { org } of await this.participants()) {
      const key = await this.key(org, kid);
      if (key?.record.use !== 'tls') continue;
      return key.ended === undefined && key.record.notBefore <= now && now < key.record.notAfter ? org : undefined;
    }
    return undefined;
  }
}

function pair(key: StateKey, stored: Uint8Array | undefined): [string, Value][] {
  return stored === undefined ? [] : [[keyText(key), valueOf(key, stored)]];
}
