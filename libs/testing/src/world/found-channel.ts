import { webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, type CountryCode, type KeyRecord } from '@portolan/contracts';
import { instant, type Clock, type OwnKey, type Random } from '@portolan/domain';
import { makeGenesis, type FoundingKey, type FoundingOrganisation, type Governance } from '@portolan/embedded-ledger';
import { CountryFolders, FileKeyVault, ordererFolders, sha256, type CountryMaterial, type OrdererMaterial } from '@portolan/keys';
import { hexOf, utf8 } from '@portolan/verify';

export interface FoundingPlan {
  readonly channel: string;
  readonly root: string;
  readonly countriesFolder: string;
  readonly countries: readonly CountryMaterial[];
  readonly orderer: OrdererMaterial;
  /** The channel's clock window; that of the rules where absent. */
  readonly clockWindowSeconds?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The channel's genesis: each country registers its keys and the hash of its policy, signed by its governance identity, whose key is read
 * here, by the setup tool, and by no process that runs later.
 */
export async function foundChannel(plan: FoundingPlan): Promise<string> {
  const { orderer, root, clock, random, channel, clockWindowSeconds } = plan;
  const countries = await Promise.all(plan.countries.map((material) => foundingCountry(material, plan)));
  const governance = await governanceOf(
    orderer.org,
    orderer.governance,
    ordererFolders(join(root, orderer.org.toLowerCase())).governanceKeys,
    clock,
  );
  const regulator: FoundingOrganisation = { kind: 'regulator', governance, keys: [founding(orderer.ledger, 'ledger')] };
  return makeGenesis({
    channel,
    time: instant(clock.now()),
    orderer: { org: orderer.org, jwk: orderer.ledger.publicJwk },
    organisations: [...countries, regulator],
    ...(clockWindowSeconds === undefined ? {} : { clockWindowSeconds }),
    uuid: () => random.uuid(),
  });
}

async function foundingCountry(material: CountryMaterial, plan: FoundingPlan): Promise<FoundingOrganisation> {
  const { country, exchange, notary } = material;
  const folders = new CountryFolders(join(plan.root, country.toLowerCase()));
  const governance = await governanceOf(country, material.governance, folders.governanceKeys, plan.clock);
  return {
    kind: 'country',
    governance,
    keys: [
      founding(exchange.sign, 'sign'),
      founding(exchange.seal, 'seal'),
      founding(exchange.tls, 'tls'),
      founding(notary.ledger, 'ledger'),
      founding(notary.tls, 'tls'),
    ],
    acts: [{ fn: 'put-policy', args: { v: 1, org: country, hash: await policyHash(plan.countriesFolder, country) } }],
  };
}

const founding = ({ publicJwk: jwk, notBefore, notAfter }: OwnKey, use: Exclude<KeyRecord['use'], 'ca'>): FoundingKey => ({
  use,
  jwk,
  notBefore,
  notAfter,
});

async function governanceOf(
  org: string,
  key: OwnKey,
  folder: string,
  clock: Clock,
): Promise<Governance & { notBefore: string; notAfter: string }> {
  const vault = new FileKeyVault({ folder, clock });
  const privateKey = await vault.privateKey(key.kid);
  const sign = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
    new Uint8Array(await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, bytes));
  return { org, jwk: key.publicJwk, sign, notBefore: key.notBefore, notAfter: key.notAfter };
}

/** SHA-256 of a policy's canonical JSON, as it is registered on the channel. */
export async function policyHash(countriesFolder: string, country: CountryCode): Promise<string> {
  const policy: unknown = JSON.parse(await readFile(join(countriesFolder, country.toLowerCase(), 'policy/policy.json'), 'utf8'));
  return hexOf(sha256(utf8(canonicalJson(policy))));
}
