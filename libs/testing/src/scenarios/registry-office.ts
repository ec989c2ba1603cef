import { randomUUID, webcrypto } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Validators, type CountryCode } from '@portolan/contracts';
import { partnerCommonName, type OwnKey, type Validity } from '@portolan/domain';
import { putKeyArgs, signRegistryAct, TlsOrdererLink, type Governance } from '@portolan/embedded-ledger';
import { admitPartner, FileKeyVault, findPartnerIdentity, storeAdmission, SystemClock } from '@portolan/keys';
import { X509Authorities } from '@portolan/x509';
import { eventually } from '../story/wait.js';
import { registryClientOf } from '../world/registry-client.js';
import { foldersOf, rows, stolenVault } from './backstage.js';
import { fabricOf, runsOnFabric, standsAt } from './channel.js';
import type { SharedWorld } from './shared-world.js';

/** What a country's authority does with its governance key, on a machine where no node runs: it registers keys and ends them. */
export class RegistryOffice {
  constructor(
    private readonly world: SharedWorld,
    readonly country: CountryCode,
  ) {}

  /** Signs an act, hands it in, and waits until it stands in `witness`'s own copy. */
  async act(fn: string, args: object, witness: CountryCode): Promise<void> {
    const id = randomUUID();
    if (runsOnFabric(this.world)) await this.register(id, fn, args, this);
    else await this.submit(await this.signed(id, fn, args, await this.governance()));
    await eventually(`${fn} stands at ${witness}`, () => standsAt(this.world, witness, id));
  }

  /** An act in this country's name, under another one's governance key. Throws the code for which it is refused. */
  async forge(fn: string, args: object, forger: RegistryOffice): Promise<void> {
    const id = randomUUID();
    if (runsOnFabric(this.world)) await this.register(id, fn, args, forger);
    else await this.submit(await this.signed(id, fn, args, { ...(await forger.governance()), org: this.country }));
  }

  private async register(id: string, fn: string, args: object, by: RegistryOffice): Promise<void> {
    const caller = { org: this.country, folders: foldersOf(this.world, by.country), certifiedBy: by.country };
    const client = await registryClientOf(await fabricOf(this.world), caller);
    await client.act({ id, fn, args }).finally(() => client.close());
  }

  private async signed(id: string, fn: string, args: object, governance: Governance): Promise<string> {
    return signRegistryAct({ id, fn, args: { ...args } }, governance, await this.channel(), new Date().toISOString());
  }

  /** Its node's line to the orderer: any transaction may be handed in on it. */
  async submit(jws: string): Promise<void> {
    const vault = stolenVault(this.world, this.country, 'notary');
    const identity = await findPartnerIdentity(foldersOf(this.world, this.country).orderer, vault);
    const { ledger } = this.world.at(this.country).config;
    if (ledger.kind !== 'embedded') throw new Error('acts are handed to the orderer of the embedded ledger');
    if (identity === undefined) throw new Error('no way to the orderer');
    const tls = { key: identity.privateKeyPem, cert: identity.certificatePem, ca: [identity.authorityPem] };
    const link = new TlsOrdererLink({ ...ledger.orderer, tls, validators: new Validators() });
    await link.submit(jws).finally(() => link.close());
  }

  async endKey(kid: string, witness: CountryCode): Promise<void> {
    await this.act('end-key', { v: 1, org: this.country, kid }, witness);
  }

  /** A new key of the exchange, registered; the running exchange has found it in its folder, where it looks every second. */
  async renew(use: 'sign' | 'tls', witness: CountryCode): Promise<OwnKey> {
    const now = Date.now();
    const validity: Validity = { notBefore: new Date(now - 60_000).toISOString(), notAfter: new Date(now + 86_400_000).toISOString() };
    const key = await stolenVault(this.world, this.country).generate(use, validity);
    const { publicJwk: jwk, notBefore, notAfter } = key;
    await this.act('put-key', putKeyArgs(this.country, { use, jwk, notBefore, notAfter }), witness);
    await pause(1_500);
    return key;
  }

  /** Stops releases between this country and another, in both directions; answers with the suspension's id. */
  async suspends(org: CountryCode): Promise<string> {
    const id = randomUUID();
    await this.act('suspend', { v: 1, id, by: this.country, org }, this.country);
    return id;
  }

  async lifts(org: CountryCode, id: string): Promise<void> {
    await this.act('end-suspension', { v: 1, id, by: this.country, org }, this.country);
  }

  /** Each other country admits the new TLS key at its inbox. */
  async admitted({ kid, publicJwk }: OwnKey): Promise<string[]> {
    const guest = { org: this.country, kid, publicJwk };
    const names: string[] = [];
    for (const host of this.world.provisioned.countries.keys()) {
      if (host === this.country) continue;
      const authorityFolder = foldersOf(this.world, host).authority;
      const admission = await admitPartner(guest, { authorityFolder, authorities: new X509Authorities(), clock: new SystemClock() });
      await storeAdmission(foldersOf(this.world, this.country).partner(host), admission);
      names.push(partnerCommonName(guest));
    }
    return names;
  }

  private async governance(): Promise<Governance> {
    const vault = new FileKeyVault({ folder: foldersOf(this.world, this.country).governanceKeys, clock: new SystemClock() });
    const { kid, publicJwk: jwk } = await vault.current('ledger');
    const key = await vault.privateKey(kid);
    const sign = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
      new Uint8Array(await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, bytes));
    return { org: this.country, jwk, sign };
  }

  private async channel(): Promise<string> {
    const [block] = await rows<{ jws: string }>(this.world, this.country, 'SELECT jws FROM notary.ledger_tx ORDER BY block, index LIMIT 1');
    return (JSON.parse(Buffer.from(block?.jws.split('.')[1] ?? '', 'base64url').toString('utf8')) as { channel: string }).channel;
  }
}
