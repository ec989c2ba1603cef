// ESLint judges, Prettier formats. The walls stand in tools/boundaries.mjs; tools/boundaries.int.test.ts plants violations.
//
// In flat config a later block replaces the options of an earlier one. So `no-restricted-imports` and
// `no-restricted-syntax` are set once for each kind of folder, composed from the lists below, and never layered.
import nx from '@nx/eslint-plugin';
import { defineConfig } from 'eslint/config';
import { readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import tseslint from 'typescript-eslint';
import { lightDoors, mayImport, nestHomes, pureLibraries, sdkHome, typesOnly } from './tools/boundaries.mjs';
import house from './tools/eslint-rules.mjs';

const tests = ['**/*.test.ts'];

// ---- imports -------------------------------------------------------------------------------------------------------
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
const packageAndBelow = (name) => `^(?!(?:${typesOnly.map(escape).join('|')})$)${escape(name)}(?:$|\\/)`;
const sdkBans = (folder) =>
  Object.entries(sdkHome)
    .map(([sdk, home]) => [sdk, [home].flat()])
    .filter(([, homes]) => !homes.includes(folder))
    .map(([sdk, homes]) => ({
      regex: packageAndBelow(sdk),
      message: `${sdk} is imported by ${homes.join(' and ')} alone: use the port that it stands behind.`,
    }));
const nodeBan = {
  regex: `^(?:node:|(?:${builtinModules.map(escape).join('|')})(?:$|\\/))`,
  message: 'A pure library asks nothing of the machine: take what you need as an argument or through a port.',
};
const nestBan = { regex: '^(?:@nestjs\\/|rxjs(?:$|\\/))', message: 'Nest stands in libs/nest and in the apps.' };
const doorBan = {
  regex: `^(?!(?:${lightDoors.map(escape).join('|')})$)@portolan\\/[^/]+\\/`,
  message: 'A package has one door: import it by its name.',
};

// ---- syntax --------------------------------------------------------------------------------------------------------
const environmentBan = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'The environment is read in main.ts alone; take config.',
};
/** `import('x')` is no declaration, so `no-restricted-imports` does not see it. */
const dynamicBans = (bans) =>
  bans.map(({ regex, message }) => ({ selector: `ImportExpression[source.value=/${regex.replaceAll('\\/', '\\u002F')}/]`, message }));
const clock = 'No clock in a pure library: take the time as an argument.';
const chance = 'No randomness in a pure library: take it through a port.';
const machineBans = [
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: clock },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock },
  { selector: "CallExpression[callee.name='Date']", message: clock },
  {
    selector: 'CallExpression[callee.property.name=/^get(?:FullYear|Month|Date|Day|Hours|Minutes|TimezoneOffset)$/]',
    message: "The machine's time zone is no input of a pure library: use the getUTC… twin.",
  },
  { selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']", message: chance },
  { selector: 'CallExpression[callee.property.name=/^(?:randomUUID|getRandomValues)$/]', message: chance },
  {
    selector: "MemberExpression[object.name='globalThis'][property.name=/^(?:process|Buffer|fetch|performance|setTimeout|setInterval)$/]",
    message: nodeBan.message,
  },
];
const machineGlobals = [
  ...['process', 'Buffer', 'global', 'require', 'console', 'fetch', 'performance'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
].map((name) => ({ name, message: nodeBan.message }));

/** The two composed rules for the sources and, with less syntax banned, for the tests of one folder. */
function walls(folder, { pure = false, nest = false } = {}) {
  const bans = [...sdkBans(folder), doorBan, ...(nest ? [] : [nestBan])];
  const sourceBans = pure ? [...bans, nodeBan] : bans;
  const imports = (patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });
  const syntax = (...selectors) => ({ 'no-restricted-syntax': ['error', ...selectors] });
  return [
    {
      files: [`${folder}/**/*.ts`],
      ignores: tests,
      rules: {
        ...imports(sourceBans),
        ...syntax(environmentBan, ...dynamicBans(sourceBans), ...(pure ? machineBans : [])),
        ...(pure && { 'no-restricted-globals': ['error', ...machineGlobals] }),
      },
    },
    { files: [`${folder}/**/*.test.ts`], rules: { ...imports(bans), ...syntax(...dynamicBans(bans)) } },
    { files: [`${folder}/src/main.ts`], rules: syntax(...dynamicBans(sourceBans)) },
  ];
}

const foldersIn = (parent) =>
  readdirSync(join(import.meta.dirname, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${parent}/${entry.name}`);
const folders = [...foldersIn('libs').filter((folder) => folder !== 'libs/adapters'), ...foldersIn('libs/adapters'), ...foldersIn('apps')];
const within = (folder, homes) => homes.some((home) => folder === home || folder.startsWith(`${home}/`));

export default defineConfig(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', '.portolan/**', 'coverage/**', 'libs/contracts/src/generated/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  { plugins: { '@nx': nx, house }, rules: { 'house/explained-suppression': 'error' } },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      complexity: ['error', 10],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // Nest's modules and the ports are classes without members of their own.
      '@typescript-eslint/no-extraneous-class': 'off',
      // A port's method is async because another adapter of it has to wait.
      '@typescript-eslint/require-await': 'off',
      // Answers of validators, clients and the transport are named by the caller: `check<Policy>('policy', …)`.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Ports are abstract classes so that Nest can inject by them; composition binds them to plain objects, structurally.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  {
    files: ['{apps,libs}/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          enforceBuildableLibDependency: false,
          banTransitiveDependencies: false,
          depConstraints: Object.entries(mayImport).map(([sourceTag, onlyDependOnLibsWithTags]) => ({
            sourceTag,
            onlyDependOnLibsWithTags,
          })),
        },
      ],
    },
  },
  ...folders.flatMap((folder) => walls(folder, { pure: pureLibraries.includes(folder), nest: within(folder, nestHomes) })),
  {
    files: tests,
    rules: {
      // Each optional step into an answer counts as a branch; a test has no other.
      complexity: 'off',
      'max-lines-per-function': 'off',
      'max-lines': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    extends: [tseslint.configs.base],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'Buffer', 'URL', 'fetch', 'setTimeout', 'clearTimeout'].map((name) => [name, 'readonly']),
      ),
    },
    rules: {
      complexity: ['error', 15],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-undef': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: 'error',
    },
  },
);
