import { describe, expect, it } from 'vitest';
import {
  bftQuorum,
  changesInWords,
  consentersOf,
  hasOrganisation,
  organisationsOf,
  withConsenter,
  withOrganisation,
  type ChannelConfig,
  type ConfigGroup,
  type OrganisationDefinition,
} from './channel-config.js';

const group = (over: Partial<ConfigGroup> = {}): ConfigGroup => ({
  groups: {},
  mod_policy: 'Admins',
  policies: {},
  values: {},
  version: '0',
  ...over,
});
const value = (of: unknown) => ({ mod_policy: 'Admins', value: of, version: '0' });
const founders = ['BE', 'EE', 'PT', 'REG'];
const consenters = founders.map((org, i) => ({
  id: i + 1,
  host: `orderer.${org.toLowerCase()}.example`,
  port: 7050,
  msp_id: org,
  identity: `identity ${org}`,
  client_tls_cert: `tls ${org}`,
  server_tls_cert: `tls ${org}`,
}));

const configOf = (type: string): ChannelConfig => ({
  sequence: '3',
  channel_group: group({
    groups: {
      Application: group({ groups: Object.fromEntries(founders.map((org) => [org, group()])) }),
      Orderer: group({
        groups: Object.fromEntries(founders.map((org) => [org, group()])),
        values: {
          ConsensusType: value({ type }),
          Orderers: value({ consenter_mapping: consenters }),
          BatchSize: value({ max_message_count: 200 }),
        },
        policies: { BlockValidation: { mod_policy: '/Channel/Orderer/Admins', policy: { type: 1, value: 'that of four' }, version: '0' } },
      }),
    },
  }),
});
const config = configOf('BFT');

const msp = value({ config: { name: 'DE' } });
const definition: OrganisationDefinition = {
  v: 1,
  org: 'DE',
  entry: group({ values: { MSP: msp, Endpoints: value({ addresses: ['elsewhere:1'] }), Capabilities: value({ unasked: true }) } }),
  orderer: { host: 'orderer.de.example', port: 7050 },
  peer: { host: 'peer.de.example', port: 7051 },
};
const consenter = { org: 'DE', endpoint: definition.orderer, identityPem: 'identity', serverTlsPem: 'server', clientTlsPem: 'client' };
const part = ({ channel_group: { groups } }: ChannelConfig, name: string): ConfigGroup => groups[name] ?? group();

describe('the quorum of BFT orderers', () => {
  it.each([
    [1, 1],
    [3, 2],
    [4, 3],
    [5, 4],
    [6, 4],
    [7, 5],
    [10, 7],
  ])('of %d is %d', (n, quorum) => expect(bftQuorum(n)).toBe(quorum));
});

describe('an organisation that joins', () => {
  it('refuses an entry whose MSP bears another name than the organisation that asks', () => {
    const entry = { ...definition.entry, values: { MSP: value({ config: { name: 'EE' } }) } };
    expect(() => withOrganisation(config, { ...definition, entry })).toThrow('channel.config-unreadable');
  });

  const joined = withOrganisation(config, definition);

  it('is a member, and may order: its authorities and addresses, and no other value that it brought', () => {
    expect([hasOrganisation(config, 'DE'), hasOrganisation(joined, 'DE')]).toEqual([false, true]);
    expect(organisationsOf(joined)).toEqual(['BE', 'DE', 'EE', 'PT', 'REG']);
    const anchors = value({ anchor_peers: [{ host: 'peer.de.example', port: 7051 }] });
    expect(part(joined, 'Application').groups['DE']?.values).toEqual({ MSP: msp, AnchorPeers: anchors });
    const endpoints = value({ addresses: ['orderer.de.example:7050'] });
    expect(part(joined, 'Orderer').groups['DE']?.values).toEqual({ MSP: msp, Endpoints: endpoints });
  });

  it('agrees on no block yet', () => expect(consentersOf(joined)).toEqual(founders));

  it('is refused without authorities', () => {
    expect(() => withOrganisation(config, { ...definition, entry: group() })).toThrow(
      expect.objectContaining({ code: 'channel.config-unreadable' }),
    );
  });

  it('is told in words, and nothing besides', () => {
    expect(changesInWords(config, joined)).toEqual(['DE joins the members', 'DE joins the organisations that may order']);
    expect(changesInWords(joined, joined)).toEqual([]);
  });
});

describe('an orderer that joins', () => {
  const before = withOrganisation(config, definition);
  const after = withConsenter(before, consenter);

  it('is the next consenter; blocks take the quorum of five identities, in their order', () => {
    expect(consentersOf(after)).toEqual([...founders, 'DE']);
    expect(part(after, 'Orderer').policies['BlockValidation']).toMatchObject({
      mod_policy: '/Channel/Orderer/Admins',
      policy: {
        type: 1,
        value: {
          identities: [...founders, 'DE'].map((mspid) => ({ principal: { mspid }, principal_classification: 'IDENTITY' })),
          rule: { n_out_of: { n: 4, rules: [0, 1, 2, 3, 4].map((i) => ({ signed_by: i })) } },
        },
      },
    });
    expect(part(after, 'Orderer').values['BatchSize']).toEqual(part(config, 'Orderer').values['BatchSize']);
  });

  it('keeps its number when it is added again', () => expect(withConsenter(after, consenter)).toEqual(after));

  it('is refused where its organisation is no member, and where the channel is not BFT', () => {
    expect(() => withConsenter(config, consenter)).toThrow(expect.objectContaining({ code: 'channel.organisation-unknown' }));
    const raft = withOrganisation(configOf('etcdraft'), definition);
    expect(() => withConsenter(raft, consenter)).toThrow(expect.objectContaining({ code: 'channel.not-bft' }));
  });
});

describe('a change that nobody asked for', () => {
  const orderer = part(config, 'Orderer');
  const alter = (over: Partial<ConfigGroup>): ChannelConfig => ({
    ...config,
    channel_group: group({ groups: { ...config.channel_group.groups, Orderer: { ...orderer, ...over } } }),
  });

  it.each([
    ['a value', alter({ values: { ...orderer.values, BatchSize: value({}) } }), 'the value BatchSize of Orderer is changed'],
    ['a policy', alter({ policies: {} }), 'the policy BlockValidation of Orderer is changed'],
    [
      'an authority',
      alter({ groups: { ...orderer.groups, EE: group({ values: { MSP: msp } }) } }),
      'EE is changed among the organisations',
    ],
    ['who is put out', alter({ groups: {} }), 'EE leaves the organisations that may order'],
    ['the rest', { ...config, channel_group: { ...config.channel_group, mod_policy: 'Anybody' } }, 'something else of the channel'],
  ])('is told: %s', (_what, after, words) => expect(changesInWords(config, after).join('\n')).toContain(words));
});
