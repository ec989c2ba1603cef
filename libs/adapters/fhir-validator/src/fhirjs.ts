import { createRequire } from 'node:module';
import type { ValidationIssue } from '@portolan/domain';

/** The part of FHIR.js (npm fhir, CommonJS) that is used. */
interface FhirJs {
  validate(resource: unknown, options: { errorOnUnexpected: false; skipCodeValidation: boolean }): { messages: readonly Message[] };
}
interface Message {
  readonly location?: string;
  readonly severity?: string;
  readonly message?: string;
}

/**
 * FHIR.js's structural pass, as a second opinion with definitions of its own. Its judgement of references (it takes a
 * version for a type), of unknown elements (it does not know ExplanationOfBenefit.adjudication), of codes (it wants every coding of a concept in the set) and of required choices (it takes `false` for
 * missing) is not asked for. Loaded at first use.
 */
export class FhirJsPass {
  private loaded: FhirJs | undefined;

  /** Takes numbers for decimals. */
  issues(resource: unknown): readonly ValidationIssue[] {
    this.loaded ??= load();
    const { messages } = this.loaded.validate(resource, { errorOnUnexpected: false, skipCodeValidation: true });
    return messages
      .filter(isAsked)
      .filter((told) => !isSaidAbsent(resource, told))
      .map(({ location = '', message = '' }) => ({ severity: 'error', code: 'structure', path: location, reason: wording(message) }));
  }
}

function isAsked({ location = '', severity, message = '' }: Message): boolean {
  const choice = message === 'Missing property' && location.endsWith('[x]');
  return (severity === 'error' || severity === 'fatal') && !choice && !message.startsWith('Invalid type for reference');
}

/** A primitive that has an extension and no value is there (R4 §2.4.1.1, data-absent-reason): FHIR.js looks for the value alone. */
function isSaidAbsent(resource: unknown, { location = '', message = '' }: Message): boolean {
  if (message !== 'Missing property') return false;
  const steps = location.split(/[.[\]]+/).filter((step) => step !== '');
  const name = steps.at(-1) ?? '';
  const holder = steps.slice(1, -1).reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], resource);
  return typeof holder === 'object' && holder !== null && Object.hasOwn(holder, `_${name}`);
}

function load(): FhirJs {
  const { Fhir } = createRequire(import.meta.url)('fhir') as { Fhir: new () => FhirJs };
  return new Fhir();
}

/** Its messages quote the value after their first words: these alone are kept. */
const wording = (message: string): string => `FHIR.js: ${message.split(/["{]/)[0]?.trim() ?? ''}`;
