import { describe, expect, it } from 'vitest';
import { demandSecure } from './record-sources.js';

describe('where records are fetched from', () => {
  const cases: readonly (readonly ['demo' | 'production', string, string])[] = [
    ['production', 'https://fhir.example/r4', 'taken'],
    ['demo', 'https://fhir.example/r4', 'taken'],
    ['demo', 'http://127.0.0.1:8080/fhir', 'taken'],
    ['demo', 'http://localhost/fhir', 'taken'],
    ['demo', 'http://[::1]:8080/fhir', 'taken'],
    ['production', 'http://127.0.0.1:8080/fhir', 'config.demo-only'],
    ['demo', 'http://fhir.example/fhir', 'config.invalid'],
    ['demo', 'http://127.0.0.1.example/fhir', 'config.invalid'],
    ['demo', 'http://127.0.0.1@fhir.example/fhir', 'config.invalid'],
  ];
  it.each(cases)('in mode %s, %s: %s', (mode, url, code) => {
    const demand = (): void => demandSecure({ mode }, 'records-de', ['https://token.example/token', url]);
    if (code === 'taken') expect(demand).not.toThrow();
    else expect(demand).toThrow(expect.objectContaining({ code }));
  });
});
