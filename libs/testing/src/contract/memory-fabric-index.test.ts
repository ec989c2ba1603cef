import { MemoryFabricIndexStore } from '@portolan/fabric-channel';
import { fabricIndexContract } from './fabric-index.contract.js';

fabricIndexContract('in memory', async () => new MemoryFabricIndexStore());
