import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { schemas, type SchemaName } from './generated/schemas.js';
import { Validators } from './validate.js';

describe('every schema', () => {
  const validators = new Validators();
  const ajv = new Ajv2020();
  // Not looked at again when the schemas are used.
  it.each(Object.keys(schemas) as SchemaName[])('%s is a schema of JSON Schema 2020-12', (name) => {
    expect(ajv.validateSchema(schemas[name]), ajv.errorsText()).toBe(true);
  });

  const bodies = Object.entries(schemas).filter(([, schema]) => 'type' in schema || 'oneOf' in schema || 'anyOf' in schema);

  it.each(bodies.map(([name]) => name as SchemaName))('%s compiles in strict mode, and refuses what is nothing like it', (name) => {
    expect(validators.mistake(name, 42)).toBeDefined();
  });
});
