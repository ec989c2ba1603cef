export { EmbeddedInboxListener, type EmbeddedInboxConfig, type InboxIdentity, type InboxLimits } from './embedded-inbox-listener.js';
export { EmbeddedPartnerLink, type EmbeddedPartnerLinkConfig } from './embedded-partner-link.js';
export type { LinkLimits, PartnerEndpoint } from './partner-connection.js';
