import { describe, expect, it } from 'vitest';
import { capabilityStatement, STORED_INTERACTIONS } from './capability-statement.js';

const statement = capabilityStatement({
  base: 'https://node.example/fhir',
  name: 'A node for tests',
  softwareVersion: '0.1.0',
  date: '2026-11-21T10:00:00.000Z',
  interactions: { Patient: STORED_INTERACTIONS, Binary: ['read'] },
  operations: [
    { name: 'match', type: 'Patient', definition: 'http://hl7.org/fhir/OperationDefinition/Patient-match' },
    { name: 'request', definition: 'urn:portolan:operation:request' },
  ],
  tokenEndpoint: 'https://node.example/token',
});
const resource = (type: string): fhir4.CapabilityStatementRestResource | undefined =>
  statement.rest?.[0]?.resource?.find((r) => r.type === type);

describe('the capability statement says what the table says', () => {
  it('interactions, search parameters and operations of a type', () => {
    expect(resource('Patient')?.interaction?.map((i) => i.code)).toEqual(['read', 'vread', 'history-instance', 'search-type']);
    expect(resource('Patient')?.searchParam).toContainEqual({ name: 'identifier', type: 'token' });
    expect(resource('Patient')?.searchParam).toContainEqual({ name: '_lastUpdated', type: 'date' });
    expect(resource('Patient')?.searchInclude).toContain('Patient:organization');
    expect(resource('Patient')?.operation?.[0]?.name).toBe('match');
  });

  it('no search where the type is only read', () => {
    expect(resource('Binary')).toEqual({ type: 'Binary', interaction: [{ code: 'read' }], versioning: 'versioned' });
  });

  it('operations of the system and where to get a token', () => {
    expect(statement.rest?.[0]?.operation).toEqual([{ name: 'request', definition: 'urn:portolan:operation:request' }]);
    expect(JSON.stringify(statement.rest?.[0]?.security)).toContain('https://node.example/token');
  });
});
