// The walls hold: each violation, planted in a fresh clone, fails the lint by the rule that is meant to catch it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshClone, type FreshClone } from './fresh-clone.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

interface Plant {
  readonly file: string;
  readonly text: string;
  readonly rule: string;
  /** A part of the message, so that the right wall answers. */
  readonly says: string;
}

const graphRule = '@nx/enforce-module-boundaries';
const importRule = 'no-restricted-imports';
const syntaxRule = 'no-restricted-syntax';
const use = (name: string): string => `import * as outside from '${name}';\nexport const planted: unknown = outside;\n`;

const plants: Record<string, Plant> = {
  // Every adapter stands on the domain, so the same rule names the circle first.
  'domain imports an adapter': { file: 'libs/domain/src/planted-a.ts', text: use('@portolan/keys'), rule: graphRule, says: 'Circular' },
  'domain imports the ledger rules': {
    file: 'libs/domain/src/planted-f.ts',
    text: use('@portolan/ledger-rules'),
    rule: graphRule,
    says: 'type:domain',
  },
  'an adapter imports another adapter': {
    file: 'libs/adapters/keys/src/planted-a.ts',
    text: use('@portolan/x509'),
    rule: graphRule,
    says: 'type:adapter',
  },
  'an adapter imports the Fabric channel': {
    file: 'libs/adapters/keys/src/planted-d.ts',
    text: use('@portolan/fabric-channel'),
    rule: graphRule,
    says: 'type:adapter',
  },
  // Its clients stand on it, so the same rule names the circle first.
  'the Fabric channel imports one of its clients': {
    file: 'libs/adapters/fabric-channel/src/planted-a.ts',
    text: use('@portolan/fabric-gateway'),
    rule: graphRule,
    says: 'Circular',
  },
  'a Fabric client imports another adapter': {
    file: 'libs/adapters/fabric-gateway/src/planted-a.ts',
    text: use('@portolan/keys'),
    rule: graphRule,
    says: 'type:fabric-client',
  },
  'a Fabric client imports the other': {
    file: 'libs/adapters/fabric-network/src/planted-a.ts',
    text: use('@portolan/fabric-gateway'),
    rule: graphRule,
    says: 'type:fabric-client',
  },
  'a Fabric client imports the SDK of the other': {
    file: 'libs/adapters/fabric-gateway/src/planted-c.ts',
    text: use('fabric-common'),
    rule: importRule,
    says: 'libs/adapters/fabric-network',
  },
  'the Fabric channel imports the SDK of a client': {
    file: 'libs/adapters/fabric-channel/src/planted-b.ts',
    text: use('@hyperledger/fabric-gateway'),
    rule: importRule,
    says: 'libs/adapters/fabric-gateway',
  },
  'a Fabric client takes blocks apart itself': {
    file: 'libs/adapters/fabric-gateway/src/planted-b.ts',
    text: use('@hyperledger/fabric-protos'),
    rule: importRule,
    says: 'libs/adapters/fabric-channel',
  },
  // Its other client stands on it, likewise.
  'the inbox on Kafka imports its other client': {
    file: 'libs/adapters/kafka/src/planted-a.ts',
    text: use('@portolan/kafka-confluent'),
    rule: graphRule,
    says: 'Circular',
  },
  'a Kafka client imports another adapter': {
    file: 'libs/adapters/kafka-confluent/src/planted-a.ts',
    text: use('@portolan/keys'),
    rule: graphRule,
    says: 'type:kafka-client',
  },
  'the inbox on Kafka imports the SDK of its other client': {
    file: 'libs/adapters/kafka/src/planted-b.ts',
    text: use('@confluentinc/kafka-javascript'),
    rule: importRule,
    says: 'libs/adapters/kafka-confluent',
  },
  'an app imports an adapter': { file: 'apps/edge/src/planted-a.ts', text: use('@portolan/keys'), rule: graphRule, says: 'type:app' },
  'contracts import anything of the house': {
    file: 'libs/contracts/src/planted-a.ts',
    text: use('@portolan/verify'),
    rule: graphRule,
    says: 'Circular',
  },
  'a project without a tag imports': {
    file: 'libs/untagged/src/index.ts',
    text: use('@portolan/contracts'),
    rule: graphRule,
    says: 'without tags',
  },
  'a file reaches into another project': {
    file: 'libs/nest/src/planted-a.ts',
    text: use('../../domain/src/index.js'),
    rule: graphRule,
    says: 'relative',
  },
  'nest imports an SDK': { file: 'libs/nest/src/planted-b.ts', text: use('typeorm'), rule: importRule, says: 'libs/adapters/postgres' },
  'an adapter imports the SDK of another': {
    file: 'libs/adapters/keys/src/planted-b.ts',
    text: use('jose'),
    rule: importRule,
    says: 'libs/adapters/jose',
  },
  'an app loads an SDK by a call': {
    file: 'apps/edge/src/planted-b.ts',
    text: "export const planted = async (): Promise<unknown> => import('pg');\n",
    rule: syntaxRule,
    says: 'libs/adapters/postgres',
  },
  'a test imports an SDK': {
    file: 'libs/nest/src/planted.test.ts',
    text: use('typeorm'),
    rule: importRule,
    says: 'libs/adapters/postgres',
  },
  'an adapter imports Nest': {
    file: 'libs/adapters/postgres/src/planted-a.ts',
    text: use('@nestjs/common'),
    rule: importRule,
    says: 'Nest stands in',
  },
  'an import goes past a door': {
    file: 'libs/nest/src/planted-c.ts',
    text: use('@portolan/domain/src/index.js'),
    rule: importRule,
    says: 'one door',
  },
  'a pure library imports node:fs': {
    file: 'libs/domain/src/planted-b.ts',
    text: use('node:fs'),
    rule: importRule,
    says: 'asks nothing of the machine',
  },
  'a pure library imports a built-in by its old name': {
    file: 'libs/verify/src/planted-b.ts',
    text: use('crypto'),
    rule: importRule,
    says: 'asks nothing',
  },
  'a pure library imports Nest': {
    file: 'libs/ledger-rules/src/planted-a.ts',
    text: use('@nestjs/common'),
    rule: importRule,
    says: 'Nest stands in',
  },
  'a pure library reads the clock': {
    file: 'libs/domain/src/planted-c.ts',
    text: 'export const planted = (): number => Date.now();\n',
    rule: syntaxRule,
    says: 'No clock',
  },
  'a pure library draws lots': {
    file: 'libs/formats/src/planted-a.ts',
    text: 'export const planted = (): number => Math.random();\n',
    rule: syntaxRule,
    says: 'No randomness',
  },
  'a pure library uses Buffer': {
    file: 'libs/domain/src/planted-d.ts',
    text: "export const planted = (): unknown => Buffer.from('a');\n",
    rule: 'no-restricted-globals',
    says: 'asks nothing',
  },
  'a pure library reads the environment': {
    file: 'libs/domain/src/planted-e.ts',
    text: 'export const planted = (): unknown => process.env.HOME;\n',
    rule: syntaxRule,
    says: 'main.ts alone',
  },
  'an adapter reads the environment': {
    file: 'libs/adapters/keys/src/planted-c.ts',
    text: 'export const planted = (): unknown => process.env.HOME;\n',
    rule: syntaxRule,
    says: 'main.ts alone',
  },
  'a suppression gives no reason': {
    file: 'libs/nest/src/planted-d.ts',
    text: '// eslint-disable-next-line no-console\nconsole.log(1);\nexport {};\n',
    rule: 'house/explained-suppression',
    says: 'why',
  },
};

/** What is allowed, in the same folders: a lint that refuses everything would prove nothing. */
const innocent: Record<string, string> = {
  'libs/domain/src/innocent.ts': use('@portolan/contracts'),
  'libs/nest/src/innocent.ts': use('@portolan/keys'),
  'libs/adapters/postgres/src/innocent.ts': use('typeorm'),
  'libs/adapters/jose/src/innocent.ts': use('jose'),
  'libs/adapters/fabric-gateway/src/innocent.ts': use('@portolan/fabric-channel'),
  'libs/adapters/fabric-channel/src/innocent.ts': use('@hyperledger/fabric-protos'),
  'apps/edge/src/innocent.ts': use('@portolan/nest'),
  'apps/edge/src/innocent-nest.ts': use('@nestjs/common'),
  'libs/formats/src/innocent.ts': "import type { Bundle } from 'fhir/r4.js';\nexport type Planted = Bundle;\n",
};

interface Lint {
  readonly code: number | null;
  readonly output: string;
  messages(file: string): { ruleId: string | null; message: string }[];
}

let clone: FreshClone;
beforeAll(() => {
  clone = freshClone(root);
}, 60_000);
afterAll(() => clone.remove());

function put(file: string, text: string): void {
  mkdirSync(dirname(join(clone.folder, file)), { recursive: true });
  writeFileSync(join(clone.folder, file), text);
}

function node(args: readonly string[]): { code: number | null; output: string } {
  const done = spawnSync(process.execPath, args, { cwd: clone.folder, encoding: 'utf8', env: { ...process.env, NX_DAEMON: 'false' } });
  return { code: done.status, output: done.stdout + done.stderr };
}

function lint(files: readonly string[]): Lint {
  const report = join(clone.folder, 'lint.json');
  const { code, output } = node(['tools/lint.mjs', '--format=json', `--output-file=${report}`, ...files]);
  const results = JSON.parse(readFileSync(report, 'utf8')) as {
    filePath: string;
    messages: { ruleId: string | null; message: string }[];
  }[];
  return { code, output, messages: (file) => results.find(({ filePath }) => filePath.endsWith(`/${file}`))?.messages ?? [] };
}

describe('without a project graph', () => {
  it('the boundary rule only warns, in the words that tools/lint.mjs waits for', () => {
    const { output } = node(['node_modules/eslint/bin/eslint.js', 'libs/domain/src/index.ts']);
    expect(output).toContain('No cached ProjectGraph');
  }, 120_000);
});

describe('in a fresh clone', () => {
  it('lets through what is allowed', () => {
    for (const [file, text] of Object.entries(innocent)) put(file, text);
    const { code, output } = lint(Object.keys(innocent));
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('projects') });
  }, 120_000);

  describe('with every violation planted', () => {
    let done: Lint;
    beforeAll(() => {
      put('libs/untagged/package.json', JSON.stringify({ name: '@portolan/untagged', version: '0.1.0', private: true, type: 'module' }));
      put('libs/untagged/tsconfig.json', readFileSync(join(clone.folder, 'libs/verify/tsconfig.json'), 'utf8'));
      for (const { file, text } of Object.values(plants)) put(file, text);
      done = lint([...Object.values(plants).map(({ file }) => file), ...Object.keys(innocent)]);
    }, 180_000);
    afterAll(() => rmSync(join(clone.folder, 'libs/untagged'), { recursive: true }));

    it('fails', () => expect(done.code).toBe(1));

    it.each(Object.entries(plants))('%s', (_, { file, rule, says }) => {
      expect(done.messages(file)).toContainEqual(expect.objectContaining({ ruleId: rule, message: expect.stringContaining(says) }));
    });

    it('an untagged project that imports nothing is named by the graph check', () => {
      expect(done.output).toContain('libs/untagged/package.json: exactly one type: tag is wanted, not 0 (graph/one-type-tag)');
    });

    it.each(Object.keys(innocent))('still lets %s through', (file) => expect(done.messages(file)).toEqual([]));
  });

  it.each([
    ['a wildcard tag', { nx: { tags: ['type:domain', 'type:*'] } }, '(graph/no-wildcard)'],
    ['two types', { nx: { tags: ['type:domain', 'type:adapter'] } }, '(graph/one-type-tag)'],
    ['an unknown type', { nx: { tags: ['type:shed'] } }, '(graph/known-tag)'],
    ['a foreign SDK among the dependencies', { dependencies: { pg: '8.0.0' } }, '(graph/sdk-home)'],
  ])('the graph check refuses %s', (_, change, rule) => {
    const file = join(clone.folder, 'libs/domain/package.json');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(before) as object), ...change }));
    const { code, output } = node(['tools/graph.mjs']);
    writeFileSync(file, before);
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`libs/domain/package.json: .*${rule.replace(/[()]/g, '\\$&')}`));
  });

  // The other checks of `npm test`, each with the slip that it is there for.
  it.each([
    [
      'cycles.mjs',
      [],
      'libs/verify/src/planted-cycle.ts',
      "import { b } from './planted-cycle-b.js';\nexport const a = b;\n",
      'planted-cycle.ts -> ',
    ],
    ['references.mjs', ['--check'], 'libs/verify/tsconfig.json', '{ "references": [] }\n', 'libs/verify/tsconfig.json'],
    ['generate-contracts.mjs', ['--check'], 'libs/contracts/src/generated/types.ts', '// edited by hand\n', 'types.ts'],
    ['generate-docs.mjs', ['--check'], 'docs/errors.md', 'edited by hand\n', 'docs/errors.md'],
  ])('tools/%s %j notices a slip', (tool, args, file, text, says) => {
    // Without --check it puts things right, so that the slip is the only one.
    if (args.length > 0) node([`tools/${tool}`]);
    expect(node([`tools/${tool}`, ...args])).toMatchObject({ code: 0 });
    put('libs/verify/src/planted-cycle-b.ts', "import { a } from './planted-cycle.js';\nexport const b: number = a;\n");
    put(file, text);
    const { code, output } = node([`tools/${tool}`, ...args]);
    expect(code).toBe(1);
    expect(output).toContain(says);
  });
});
