// Runs a TypeScript module of this repository in a bare Node process (tests that kill one): `node run-source.mjs FILE ARGS…`.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformSync } from '@swc/core';

registerHooks({
  resolve(specifier, context, next) {
    const conditions = [...context.conditions, '@portolan/source'];
    const ours = specifier.startsWith('.') && context.parentURL?.endsWith('.ts') && specifier.endsWith('.js');
    return next(ours ? specifier.replace(/\.js$/, '.ts') : specifier, { ...context, conditions });
  },
  load(url, context, next) {
    if (!url.endsWith('.ts')) return next(url, context);
    const source = transformSync(readFileSync(fileURLToPath(url), 'utf8'), {
      filename: fileURLToPath(url),
      module: { type: 'es6' },
      jsc: {
        target: 'es2023',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        keepClassNames: true,
        experimental: { keepImportAttributes: true },
      },
    }).code;
    return { format: 'module', source, shortCircuit: true };
  },
});

await import(pathToFileURL(process.argv[2]).href);
