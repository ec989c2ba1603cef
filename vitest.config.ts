import swc from 'unplugin-swc';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const plugins = [
  swc.vite({
    module: { type: 'es6' },
    jsc: {
      target: 'es2023',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
  }),
];
/** Packages of the house resolve to their source. No `import` here: Node would then give ES modules to `require`, too. */
const conditions = ['@portolan/source', 'node'];
const shared = { environment: 'node' as const, exclude: ['**/node_modules/**', '**/dist/**'] };
const house = { plugins, resolve: { conditions }, ssr: { resolve: { conditions } } };

/** Tests over Kafka and Fabric: they freeze and kill what they started, and do not bear another one's engines beside theirs. */
const onEngines = [
  'libs/testing/src/{bench,stack}/**/*.int.test.ts',
  'libs/testing/src/contract/{kafka,fabric}-*.int.test.ts',
  '{libs,apps}/**/*fabric*.int.test.ts',
  'libs/adapters/{kafka,fabric}*/**/*.int.test.ts',
];

/** The scenarios over one shared world: its roles in one process, or a process a role; on embedded engines, or on real ones. */
const scenarios = (roles: 'together' | 'apart', column: 'embedded' | 'real' | 'raft' = 'embedded'): TestProjectInlineConfiguration => ({
  ...house,
  test: {
    ...shared,
    name: column === 'embedded' ? `scenario-${roles}` : `scenario-${column}`,
    include: ['libs/testing/src/scenarios/**/*.scenario.test.ts'],
    env: { SCENARIO_ROLES: roles, SCENARIO_COLUMN: column },
    globalSetup: ['tools/scenario-world.mjs'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});

/** unit: pure and quick. int: a real database, socket or process. scenario: whole countries. */
export default defineConfig({
  test: {
    projects: [
      {
        ...house,
        test: {
          ...shared,
          name: 'unit',
          include: ['{apps,libs,tools}/**/*.test.ts'],
          exclude: [...shared.exclude, '**/*.{int,scenario}.test.ts'],
          // Quick on a free machine; a busy one is no failure.
          testTimeout: 20_000,
          // Pure code leaves nothing behind for its neighbours, and most of a short file's time was loading what the one before it had loaded.
          isolate: false,
          maxWorkers: '100%',
        },
      },
      {
        ...house,
        test: {
          ...shared,
          name: 'int',
          include: ['{apps,libs,tools}/**/*.int.test.ts'],
          exclude: [...shared.exclude, ...onEngines],
          provide: { rows: 20_000 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: '100%',
        },
      },
      {
        ...house,
        test: {
          ...shared,
          name: 'int-engines',
          include: onEngines,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        ...house,
        test: {
          ...shared,
          // The same plans over ten million rows a table that grows. On request: half an hour, and some thirty gigabytes of the temporary folder.
          name: 'rows',
          include: ['libs/adapters/postgres/src/full-tables.int.test.ts'],
          provide: { rows: 10_000_000 },
          testTimeout: 600_000,
          hookTimeout: 7_200_000,
        },
      },
      {
        ...house,
        test: {
          ...shared,
          // The inbox on Kafka by its other client, which is compiled first (tools/engines/confluent). On request: no step of `npm test`.
          name: 'kafka-confluent',
          include: ['libs/testing/src/contract/kafka-{inbox,only}.int.test.ts', 'libs/adapters/kafka-confluent/src/**/*.int.test.ts'],
          // librdkafka's calls wait on libuv's threads, of which there are four: two clients that hang would hold up all others.
          env: { KAFKA_CLIENT: 'confluent', UV_THREADPOOL_SIZE: '16' },
          testTimeout: 60_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      scenarios('together'),
      scenarios('apart'),
      scenarios('together', 'real'),
      // Nodes that reach a channel of Raft orderers by fabric-network. On request.
      scenarios('together', 'raft'),
      {
        ...house,
        test: {
          ...shared,
          // Scenarios that boot and break a world of their own.
          name: 'scenario-own',
          include: ['{apps,libs,tools}/**/*.scenario.test.ts'],
          exclude: [...shared.exclude, 'libs/testing/src/scenarios/**', 'libs/testing/src/faults/**'],
          testTimeout: 1_200_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        ...house,
        test: {
          ...shared,
          // Real engines killed in the middle of transfers, and what is planted in their databases and blocks. On request: no step of `npm test` yet.
          name: 'scenario-faults',
          include: ['libs/testing/src/faults/**/*.scenario.test.ts'],
          testTimeout: 1_200_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
