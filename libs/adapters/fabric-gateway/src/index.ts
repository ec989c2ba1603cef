export { GatewayChannelClient } from './gateway-channel-client.js';
