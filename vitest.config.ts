import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

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

/** unit: pure and quick. int: a real database, socket or process. scenario: whole countries. */
export default defineConfig({
  test: {
    projects: [
      {
        plugins,
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          ...shared,
          name: 'unit',
          include: ['{apps,libs,tools}/**/*.test.ts'],
          exclude: [...shared.exclude, '**/*.{int,scenario}.test.ts'],
          // Quick on a free machine; a busy one is no failure.
          testTimeout: 20_000,
        },
      },
      {
        plugins,
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: { ...shared, name: 'int', include: ['{apps,libs,tools}/**/*.int.test.ts'], testTimeout: 60_000, hookTimeout: 120_000 },
      },
      {
        plugins,
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          ...shared,
          name: 'scenario',
          include: ['{apps,libs,tools}/**/*.scenario.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
