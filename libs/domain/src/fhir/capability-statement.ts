import type { CapabilityStatement, CapabilityStatementRestResource, CapabilityStatementRestSecurity } from './fhir-types.js';
import { COMMON_PARAMETERS, isSearchable, searchParametersOf } from './search/search-parameters.js';

export type Interaction = NonNullable<CapabilityStatementRestResource['interaction']>[number]['code'];

export type ResourceType = CapabilityStatementRestResource['type'];

/** An operation a node offers, on a type or on the whole system. */
export interface OfferedOperation {
  /** Without the dollar sign: `match`. */
  readonly name: string;
  /** Canonical of its OperationDefinition. */
  readonly definition: string;
  readonly type?: string;
}

export interface CapabilityInput {
  /** FHIR base URL of the node, without slash at the end. */
  readonly base: string;
  /** Name of the node, for people. */
  readonly name: string;
  readonly softwareVersion: string;
  /** When this configuration of the node came into force: instant. */
  readonly date: string;
  /** What may be done with each type. */
  readonly interactions: Readonly<Partial<Record<ResourceType, readonly Interaction[]>>>;
  readonly operations?: readonly OfferedOperation[];
  /** Token endpoint of the node's authorisation (SMART Backend Services). */
  readonly tokenEndpoint?: string;
  readonly profiles?: Readonly<Record<string, readonly string[]>>;
}

/** What every node does with what it stores: it is written by ingest, read and searched here. */
export const STORED_INTERACTIONS: readonly Interaction[] = ['read', 'vread', 'history-instance', 'search-type'];

/** The answer to `GET /metadata` (R4 §3.1.0.15): only what the node's table says. */
export function capabilityStatement(input: CapabilityInput): CapabilityStatement {
  const operations = input.operations ?? [];
  const ofSystem = operations.filter((operation) => operation.type === undefined).map(operationRow);
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: input.date,
    kind: 'instance',
    software: { name: 'Portolan', version: input.softwareVersion },
    implementation: { description: input.name, url: input.base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'application/fhir+xml'],
    rest: [
      {
        mode: 'server',
        ...(input.tokenEndpoint === undefined ? {} : { security: security(input.tokenEndpoint) }),
        resource: (Object.keys(input.interactions) as ResourceType[]).map((type) => resourceRow(type, input)),
        ...(ofSystem.length === 0 ? {} : { operation: ofSystem }),
      },
    ],
  };
}

const operationRow = ({ name, definition }: OfferedOperation): { name: string; definition: string } => ({ name, definition });

function resourceRow(type: ResourceType, input: CapabilityInput): CapabilityStatementRestResource {
  const interactions = input.interactions[type] ?? [];
  const operations = (input.operations ?? []).filter((operation) => operation.type === type).map(operationRow);
  const profiles = input.profiles?.[type] ?? [];
  return {
    type,
    ...(profiles.length === 0 ? {} : { supportedProfile: [...profiles] }),
    interaction: interactions.map((code) => ({ code })),
    versioning: 'versioned',
    ...(interactions.includes('search-type') ? searchRows(type) : {}),
    ...(operations.length === 0 ? {} : { operation: operations }),
  };
}

function searchRows(type: string): Partial<CapabilityStatementRestResource> {
  const parameters = isSearchable(type) ? searchParametersOf(type) : COMMON_PARAMETERS;
  const references = Object.entries(parameters).filter(([, { kind }]) => kind === 'reference');
  return {
    ...(references.length === 0 ? {} : { searchInclude: references.map(([name]) => `${type}:${name}`) }),
    searchParam: Object.entries(parameters).map(([name, { kind }]) => ({ name, type: kind })),
  };
}

/** SMART App Launch 2.2: where to get a token, in the form that R4 clients look for. */
function security(tokenEndpoint: string): CapabilityStatementRestSecurity {
  return {
    cors: false,
    service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] }],
    extension: [
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: [{ url: 'token', valueUri: tokenEndpoint }],
      },
    ],
  };
}
