import { PortolanError } from '@portolan/contracts';
import { isFhirObject, type FhirObject, type FhirValue } from '@portolan/formats';

/** A literal reference to a resource of this node. */
export interface LocalReference {
  readonly type: string;
  readonly id: string;
}

const LOCAL = /^([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9.-]{1,64})$/;

/** Reads `Type/id`; undefined where it is anything else. */
export function localReference(text: string | undefined): LocalReference | undefined {
  const [, type, id] = LOCAL.exec(text ?? '') ?? [];
  return type === undefined || id === undefined ? undefined : { type, id };
}

/**
 * The parameters of an operation (R4 §Parameters), by name. What is asked for must be there in the form asked for; else
 * `fhir.parameter-invalid` names the parameter and never its value.
 */
export class OperationParameters {
  private constructor(
    private readonly parameters: readonly FhirObject[],
    private readonly where: string,
  ) {}

  static of(resource: FhirObject): OperationParameters {
    if (resource['resourceType'] !== 'Parameters')
      throw new PortolanError('fhir.parameter-invalid', 'the body', 'a Parameters resource is expected');
    return new OperationParameters(objects(resource['parameter']), 'Parameters');
  }

  /** Texts of a parameter that may repeat, whatever `value[x]` carries them: code, string, uri, id, date, instant. */
  texts(name: string): readonly string[] {
    return this.named(name).map((parameter) => {
      const value = valueOf(parameter);
      if (typeof value !== 'string' || value === '') throw this.invalid(name, 'a text is expected');
      return value;
    });
  }

  text(name: string): string | undefined {
    return this.single(name, this.texts(name));
  }

  needed(name: string): string {
    return this.text(name) ?? this.missing(name);
  }

  integer(name: string): number | undefined {
    const [value] = this.named(name).map(valueOf);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw this.invalid(name, 'a whole number is expected');
    return value;
  }

  /** `Type/id` of a reference to a resource of this node. */
  reference(name: string): LocalReference {
    const [parameter] = this.named(name);
    const value = parameter === undefined ? this.missing(name) : valueOf(parameter);
    const literal = isFhirObject(value) ? value['reference'] : value;
    const reference = localReference(typeof literal === 'string' ? literal : undefined);
    if (reference === undefined) throw this.invalid(name, 'a reference Type/id is expected');
    return reference;
  }

  resource(name: string): FhirObject & { resourceType: string } {
    const [parameter] = this.named(name);
    const resource = parameter?.['resource'];
    if (!isFhirObject(resource) || typeof resource['resourceType'] !== 'string') throw this.invalid(name, 'a resource is expected');
    return resource as FhirObject & { resourceType: string };
  }

  /** The parts of a parameter that has parts; undefined where it is absent. */
  parts(name: string): OperationParameters | undefined {
    const [parameter] = this.named(name);
    return parameter === undefined ? undefined : new OperationParameters(objects(parameter['part']), `${this.where}.${name}`);
  }

  private named(name: string): readonly FhirObject[] {
    return this.parameters.filter((parameter) => parameter['name'] === name);
  }

  private single<T>(name: string, values: readonly T[]): T | undefined {
    if (values.length > 1) throw this.invalid(name, 'more than once');
    return values[0];
  }

  private missing(name: string): never {
    throw this.invalid(name, 'missing');
  }

  private invalid(name: string, detail: string): PortolanError {
    return new PortolanError('fhir.parameter-invalid', `${this.where}.${name}`, detail);
  }
}

const objects = (value: FhirValue | undefined): readonly FhirObject[] => (Array.isArray(value) ? value.filter(isFhirObject) : []);

const valueOf = (parameter: FhirObject): FhirValue | undefined => Object.entries(parameter).find(([key]) => key.startsWith('value'))?.[1];

/** FHIR JSON of a Parameters resource made of ready parameters. */
export const parametersOf = (parameter: readonly FhirObject[]): FhirObject => ({ resourceType: 'Parameters', parameter: [...parameter] });
