import { common, msp, orderer } from '@hyperledger/fabric-protos';
import type { OrgId } from '@portolan/contracts';
import { X509Certificate } from 'node:crypto';
import { openEnvelope } from './block/envelope.js';

/** The authorities of each organisation of the channel: whoever they certified as a peer may endorse for it. By MSP id. */
export function authoritiesIn(config: Uint8Array): ReadonlyMap<OrgId, readonly X509Certificate[]> {
  const channel = common.Config.deserializeBinary(config).getChannelGroup();
  const application = channel === undefined ? undefined : groupsOf(channel).get('Application');
  const found: [OrgId, readonly X509Certificate[]][] = [];
  if (application !== undefined) groupsOf(application).forEach((group) => found.push(...authoritiesOf(group)));
  return new Map(found);
}

/**
 * How the channel's orderers agree, from a configuration block: `BFT`, `etcdraft`; '' where the block holds no configuration of orderers.
 * (orderer.ConsensusType of Fabric's protos.)
 */
export function consensusIn(configBlock: Uint8Array): string {
  const [envelope] = common.Block.deserializeBinary(configBlock).getData()?.getDataList_asU8() ?? [];
  const opened = openEnvelope(envelope ?? new Uint8Array());
  const channel = opened.is === 'config' ? common.Config.deserializeBinary(opened.config()).getChannelGroup() : undefined;
  const ordering = channel === undefined ? undefined : groupsOf(channel).get('Orderer');
  const value = (ordering?.getValuesMap() as ProtoMap<common.ConfigValue> | undefined)?.get('ConsensusType');
  return value === undefined ? '' : orderer.ConsensusType.deserializeBinary(value.getValue_asU8()).getType();
}

/** A map field; the protos come without types for those of Google's runtime. */
interface ProtoMap<V> {
  get(key: string): V | undefined;
  forEach(take: (value: V, key: string) => void): void;
}

const groupsOf = (group: common.ConfigGroup): ProtoMap<common.ConfigGroup> => group.getGroupsMap() as ProtoMap<common.ConfigGroup>;

function authoritiesOf(group: common.ConfigGroup): [OrgId, readonly X509Certificate[]][] {
  const value = (group.getValuesMap() as ProtoMap<common.ConfigValue>).get('MSP');
  if (value === undefined) return [];
  const config = msp.FabricMSPConfig.deserializeBinary(msp.MSPConfig.deserializeBinary(value.getValue_asU8()).getConfig_asU8());
  const certificates = [...config.getRootCertsList_asU8(), ...config.getIntermediateCertsList_asU8()];
  return [[config.getName(), certificates.map((pem) => new X509Certificate(pem))]];
}

/**
 * Whether one of these authorities certified it as a peer. Validity is not looked at: a verifier compares with the time of what was endorsed.
 * A valid transaction may carry an endorsement that counted for nothing, with any certificate: so what stood in a block is no proof by itself.
 */
export function isPeerOf(certificate: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  const isPeer = certificate.subject.split('\n').includes('OU=peer');
  return isPeer && authorities.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
}
