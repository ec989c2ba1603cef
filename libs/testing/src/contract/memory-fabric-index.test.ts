import { MemoryFabricIndexStore } from '@portolan/fabric-gateway';
import { fabricIndexContract } from './fabric-index.contract.js';

fabricIndexContract('in memory', async () => new MemoryFabricIndexStore());
