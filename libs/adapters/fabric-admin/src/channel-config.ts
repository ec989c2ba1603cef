import { PortolanError, type OrgId } from '@portolan/contracts';

/*
 * A channel's configuration as `configtxlator proto_decode --type common.Config` writes it (Fabric 3.1, protobuf common.Config as JSON), as
 * far as membership is concerned. Everything else is carried through untouched.
 */
export interface ChannelConfig {
  readonly channel_group: ConfigGroup;
  readonly sequence?: string;
}

export interface ConfigGroup {
  readonly groups: Readonly<Record<string, ConfigGroup>>;
  readonly policies: Readonly<Record<string, unknown>>;
  readonly values: Readonly<Record<string, unknown>>;
  readonly mod_policy: string;
  readonly version: string;
}

/** `host:port` of something that is reached over TLS. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What an organisation says of itself when it asks to be let in; it holds no key. */
export interface OrganisationDefinition {
  readonly v: 1;
  readonly org: OrgId;
  /** Its entry as `configtxgen -printOrg` makes it: MSP and policies. */
  readonly entry: ConfigGroup;
  readonly orderer: Endpoint;
  /** Absent: it runs no peer. */
  readonly peer?: Endpoint;
}

/** One orderer among those that agree on blocks. Certificates are PEM. */
export interface Consenter {
  readonly org: OrgId;
  readonly endpoint: Endpoint;
  readonly identityPem: string;
  readonly serverTlsPem: string;
  readonly clientTlsPem: string;
}

/** common.Consenter as JSON: certificates are base64 of their PEM. */
interface ConsenterEntry {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly msp_id: string;
  readonly identity: string;
  readonly client_tls_cert: string;
  readonly server_tls_cert: string;
}

const sections = ['Application', 'Orderer'] as const;
const value = (content: unknown): object => ({ mod_policy: 'Admins', value: content, version: '0' });

/** Whether the organisation stands among members and among those that order. */
export const hasOrganisation = (config: ChannelConfig, org: OrgId): boolean =>
  sections.every((section) => Object.hasOwn(sectionOf(config, section).groups, org));

export const organisationsOf = (config: ChannelConfig): readonly OrgId[] => Object.keys(sectionOf(config, 'Application').groups).sort();

/** The configuration with one organisation more: a member with its anchor peer, and one that may run an orderer. It orders nothing yet. */
export function withOrganisation(config: ChannelConfig, definition: OrganisationDefinition): ChannelConfig {
  const { org, entry, orderer, peer } = definition;
  const { MSP: msp } = entry.values;
  if (mspName(msp) !== org) throw new PortolanError('channel.config-unreadable', `entry of ${org}`, 'its MSP bears another name');
  const anchors = peer === undefined ? {} : { AnchorPeers: value({ anchor_peers: [{ host: peer.host, port: peer.port }] }) };
  const member = { ...entry, values: { MSP: msp, ...anchors } };
  const ordering = { ...entry, values: { MSP: msp, Endpoints: value({ addresses: [`${orderer.host}:${orderer.port}`] }) } };
  return withSection(withSection(config, 'Application', org, member), 'Orderer', org, ordering);
}

/** A definition that travels as a file must not bring in another organisation than it says. */
const mspName = (msp: unknown): string | undefined => (msp as { value?: { config?: { name?: string } } } | undefined)?.value?.config?.name;

function withSection(config: ChannelConfig, section: (typeof sections)[number], org: OrgId, entry: ConfigGroup): ChannelConfig {
  const before = sectionOf(config, section);
  return replaced(config, section, { ...before, groups: { ...before.groups, [org]: entry } });
}

function replaced(config: ChannelConfig, section: string, group: ConfigGroup): ChannelConfig {
  const { channel_group: channel } = config;
  return { ...config, channel_group: { ...channel, groups: { ...channel.groups, [section]: group } } };
}

function sectionOf({ channel_group: channel }: ChannelConfig, section: string): ConfigGroup {
  const found = channel.groups[section];
  if (found === undefined) throw new PortolanError('channel.config-unreadable', section);
  return found;
}

/** How many of `n` BFT orderers must sign a block: ⌈(n + f + 1) / 2⌉ with f = ⌊(n − 1) / 3⌋ (Fabric 3, SmartBFT). */
export function bftQuorum(n: number): number {
  return Math.ceil((n + Math.floor((n - 1) / 3) + 1) / 2);
}

/** Those that agree on blocks under BFT. Throws `channel.not-bft` for another consensus. */
export function consentersOf(config: ChannelConfig): readonly OrgId[] {
  return entriesOf(config).map(({ msp_id: org }) => org);
}

function entriesOf(config: ChannelConfig): readonly ConsenterEntry[] {
  const orderer = sectionOf(config, 'Orderer');
  const type = (orderer.values['ConsensusType'] as { value?: { type?: string } } | undefined)?.value?.type;
  if (type !== 'BFT') throw new PortolanError('channel.not-bft', 'ConsensusType', String(type));
  const { value: content } = (orderer.values['Orderers'] ?? {}) as { value?: { consenter_mapping?: readonly ConsenterEntry[] } };
  return content?.consenter_mapping ?? [];
}

/**
 * The configuration with one BFT orderer more, and with the policy by which peers verify blocks made for as many. Add one at a time, after it
 * has caught up: a quorum counts it at once. Throws `channel.organisation-unknown` where its organisation is no member.
 */
export function withConsenter(config: ChannelConfig, consenter: Consenter): ChannelConfig {
  if (!hasOrganisation(config, consenter.org)) throw new PortolanError('channel.organisation-unknown', consenter.org);
  const before = entriesOf(config);
  const kept = before.filter(({ msp_id: org }) => org !== consenter.org);
  const id = before.find(({ msp_id: org }) => org === consenter.org)?.id ?? Math.max(0, ...before.map((one) => one.id)) + 1;
  const entries = [...kept, entryOf(id, consenter)].toSorted((a, b) => a.id - b.id);
  const orderer = sectionOf(config, 'Orderer');
  const orderers = { ...(orderer.values['Orderers'] as object), value: { consenter_mapping: entries } };
  const validation = { ...(orderer.policies['BlockValidation'] as object), policy: blockValidation(entries) };
  return replaced(config, 'Orderer', {
    ...orderer,
    values: { ...orderer.values, Orderers: orderers },
    policies: { ...orderer.policies, BlockValidation: validation },
  });
}

function entryOf(id: number, { org, endpoint, identityPem, serverTlsPem, clientTlsPem }: Consenter): ConsenterEntry {
  return {
    id,
    host: endpoint.host,
    port: endpoint.port,
    msp_id: org,
    identity: base64(identityPem),
    client_tls_cert: base64(clientTlsPem),
    server_tls_cert: base64(serverTlsPem),
  };
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** As configtxgen makes it at the founding: so many of these very identities (common.SignaturePolicyEnvelope). */
function blockValidation(entries: readonly ConsenterEntry[]): object {
  return {
    type: 1,
    value: {
      identities: entries.map(({ msp_id: mspid, identity }) => ({
        principal: { id_bytes: identity, mspid },
        principal_classification: 'IDENTITY',
      })),
      rule: { n_out_of: { n: bftQuorum(entries.length), rules: entries.map((_one, i) => ({ signed_by: i })) } },
      version: 0,
    },
  };
}

/** What a member reads before it signs: each change of membership in words. Anything else that differs is told as such, and never hidden. */
export function changesInWords(before: ChannelConfig, after: ChannelConfig): readonly string[] {
  const told: string[] = [];
  for (const section of sections) {
    const [old, fresh] = [sectionOf(before, section), sectionOf(after, section)];
    const where = section === 'Application' ? 'members' : 'organisations that may order';
    for (const org of orgsOf(fresh)) {
      if (!Object.hasOwn(old.groups, org)) told.push(`${org} joins the ${where}`);
      else if (differ(old.groups[org], fresh.groups[org])) told.push(`${org} is changed among the ${where}`);
    }
    for (const org of orgsOf(old)) if (!Object.hasOwn(fresh.groups, org)) told.push(`${org} leaves the ${where}`);
    told.push(...othersOf(section, old, fresh));
  }
  const [oldRest, freshRest] = [withoutSections(before), withoutSections(after)];
  if (differ(oldRest, freshRest)) told.push('something else of the channel is changed');
  return told;
}

const orgsOf = ({ groups }: ConfigGroup): string[] => Object.keys(groups).sort();
const differ = (a: unknown, b: unknown): boolean => stable(a) !== stable(b);

function othersOf(section: string, old: ConfigGroup, fresh: ConfigGroup): string[] {
  const names = (kind: 'values' | 'policies'): string[] =>
    [...new Set([...Object.keys(old[kind]), ...Object.keys(fresh[kind])])]
      .sort()
      .filter((name) => differ(old[kind][name], fresh[kind][name]));
  return [
    ...names('values').map((name) => (name === 'Orderers' ? orderersInWords(old, fresh) : `the value ${name} of ${section} is changed`)),
    ...names('policies').map((name) => `the policy ${name} of ${section} is changed`),
  ];
}

function orderersInWords(old: ConfigGroup, fresh: ConfigGroup): string {
  const names = (group: ConfigGroup): string =>
    ((group.values['Orderers'] as { value?: { consenter_mapping?: ConsenterEntry[] } } | undefined)?.value?.consenter_mapping ?? [])
      .map(({ msp_id: org, host, port }) => `${org} (${host}:${port})`)
      .join(', ');
  return `blocks are agreed on by ${names(fresh)}; before by ${names(old)}`;
}

function withoutSections({ channel_group: channel }: ChannelConfig): unknown {
  const groups = Object.fromEntries(Object.entries(channel.groups).filter(([name]) => !(sections as readonly string[]).includes(name)));
  return { ...channel, groups };
}

/** Text with the members of each object in one order. */
function stable(json: unknown): string {
  return JSON.stringify(json, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
