import { MemoryLedgerCopyStore, MemoryOrdererStore } from '@portolan/embedded-ledger';
import { ledgerStoreContract } from './ledger-store.contract.js';

ledgerStoreContract('in memory', {
  copy: async () => new MemoryLedgerCopyStore(),
  orderer: async () => new MemoryOrdererStore(),
});
