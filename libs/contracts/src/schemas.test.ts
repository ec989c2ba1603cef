import { describe, expect, it } from 'vitest';
import { schemas, type SchemaName } from './generated/schemas.js';
import { Validators } from './validate.js';

describe('every schema', () => {
  const validators = new Validators();
  const bodies = Object.entries(schemas).filter(([, schema]) => 'type' in schema || 'oneOf' in schema || 'anyOf' in schema);

  it.each(bodies.map(([name]) => name as SchemaName))('%s compiles in strict mode, and refuses what is nothing like it', (name) => {
    expect(validators.mistake(name, 42)).toBeDefined();
  });
});
