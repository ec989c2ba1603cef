// The room's one door. A Fabric channel stands behind the port Ledger of libs/domain.
export {};
