import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { PortolanError, type ErrorCode } from './errors.js';
import { schemas, type SchemaName } from './generated/schemas.js';

/** Deepest nesting that any document from outside may have; canonicalisation and parsing recurse. */
export const MAX_JSON_DEPTH = 64;

/**
 * Compiled once for the whole process and shared by all validators: what is made of a schema says nothing of who asks. That the schemas
 * are schemas is told by their test and not looked for at every start.
 */
const compiled = new Map<SchemaName, ValidateFunction>();
let shared: Ajv2020 | undefined;

function validatorOf(name: SchemaName): ValidateFunction {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  shared ??= withAllSchemas();
  const validate = shared.getSchema(`${name}.schema.json`) ?? shared.compile(schemas[name]);
  compiled.set(name, validate);
  return validate;
}

function withAllSchemas(): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, allErrors: false, allowUnionTypes: true, validateSchema: false });
  for (const schema of Object.values(schemas)) ajv.addSchema(schema);
  return ajv;
}

/** Compiles the schemas on first use and answers with the validator of one of them. */
export class Validators {
  /** The first mistake as `path message`, or undefined where `value` fits. Values are never quoted: they may be health data. */
  mistake(name: SchemaName, value: unknown): string | undefined {
    const validate = validatorOf(name);
    if (validate(value)) return undefined;
    const first = validate.errors?.[0];
    return `${first?.instancePath || '/'} ${first?.message ?? 'does not fit'}`;
  }

  /** `value` as T, or a PortolanError with `code`. */
  check<T>(name: SchemaName, value: unknown, code: ErrorCode, where: string): T {
    const mistake = this.mistake(name, value);
    if (mistake !== undefined) throw new PortolanError(code, where, mistake);
    return value as T;
  }
}

/** Parses JSON from outside: bounded in bytes and depth before anything recurses over it. */
export function parseBounded(text: string, maxChars: number, code: ErrorCode, where: string): unknown {
  if (text.length > maxChars) throw new PortolanError(code, where, `longer than ${maxChars} characters`);
  if (depthOf(text) > MAX_JSON_DEPTH) throw new PortolanError(code, where, `nested deeper than ${MAX_JSON_DEPTH}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new PortolanError(code, where, 'not JSON');
  }
}

/** Nesting depth of a JSON text by its brackets outside strings. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i += 1;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, (depth += 1));
    else if (c === 0x7d || c === 0x5d) depth -= 1;
  }
  return deepest;
}
