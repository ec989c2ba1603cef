export {
  bftQuorum,
  changesInWords,
  consentersOf,
  hasOrganisation,
  organisationsOf,
  withConsenter,
  withOrganisation,
  type ChannelConfig,
  type ConfigGroup,
  type Consenter,
  type Endpoint,
  type OrganisationDefinition,
} from './channel-config.js';
export { ChannelAdmin, type AdminPrograms, type ConfigUpdate } from './channel-admin.js';
