export { NetworkChannelClient } from './network-channel-client.js';
