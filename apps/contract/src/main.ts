// The chaincode's entry. The rules are those of libs/ledger-rules.
export {};
