import { createRequire } from 'node:module';
import { Inject, Injectable } from '@nestjs/common';
import { capabilityStatement, instant, type OfferedOperation } from '@portolan/domain';
import { smartConfiguration } from '@portolan/openid';
import { EdgeParts } from '../edge.parts.js';
import { ok, type FhirAnswer } from './fhir-call.js';
import { STORED } from './stored-types.js';

const own = (name: string, type?: string): OfferedOperation => ({
  name,
  definition: `urn:portolan:operation:${name}`,
  ...(type === undefined ? {} : { type }),
});

/** The operations that the routes offer. */
const OPERATIONS: readonly OfferedOperation[] = [
  { name: 'match', type: 'Patient', definition: 'http://hl7.org/fhir/OperationDefinition/Patient-match' },
  { name: 'summary', type: 'Patient', definition: 'http://hl7.org/fhir/uv/ips/OperationDefinition/summary' },
  own('document', 'DiagnosticReport'),
  own('document', 'Encounter'),
  ...['request-record', 'declare-emergency', 'end-emergency', 'review-emergency', 'adopt', 'propose', 'correct', 'link', 'unlink'].map(
    (name) => own(name),
  ),
];
const SCOPES = ['system/*.read', 'system/*.write', 'system/*.cruds', 'user/*.read', 'user/*.write', 'user/*.cruds'];

/** What a client reads before it has a token: what the node offers, and where tokens are given. */
@Injectable()
export class Conformance {
  private readonly statement: string;
  private readonly smart: string;

  constructor(@Inject(EdgeParts) { fhirBase, country, clock, tokenIssuer }: EdgeParts) {
    const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string };
    const smart = smartConfiguration(tokenIssuer, SCOPES);
    this.smart = JSON.stringify(smart);
    this.statement = JSON.stringify(
      capabilityStatement({
        base: fhirBase,
        name: `Portolan node of ${country.name}`,
        softwareVersion: version,
        date: instant(clock.now()),
        interactions: { ...STORED, Binary: ['read'] },
        operations: OPERATIONS,
        tokenEndpoint: smart.token_endpoint,
      }),
    );
  }

  async metadata(): Promise<FhirAnswer> {
    return ok(this.statement);
  }

  async smartConfiguration(): Promise<FhirAnswer> {
    return { ...ok(this.smart), plain: true };
  }
}
