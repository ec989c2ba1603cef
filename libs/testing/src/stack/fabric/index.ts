export { fabricEngine, type FabricEngine } from './engine.js';
export { FabricStack, type FabricChaincode, type FabricOptions, type OrganisationAccess, type PartStatus } from './fabric-stack.js';
export type { KeyFiles, MemberName } from './folders.js';
export type { Consensus, FabricOrganisation, PartName } from './plan.js';
