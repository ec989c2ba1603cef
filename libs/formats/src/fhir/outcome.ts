import { errorRegistry, type ErrorCode } from '@portolan/contracts';
import type { CompiledResource } from '../engine/compile.js';
import type { Draft } from '../engine/drafts.js';
import type { Finding } from '../engine/findings.js';
import { stableUuid, type FhirObject, type FhirValue, type SourceNode } from '../engine/index.js';
import type { IdentityContext } from '../engine/instances.js';
import type { Reject } from '../engine/run.js';

/** Tells of the document, so it stands beside the record. */
const rule: CompiledResource = {
  id: '(outcome)',
  resource: 'OperationOutcome',
  each: [],
  when: undefined,
  mention: undefined,
  choice: undefined,
  key: [],
  elements: [],
  rule: { id: '(outcome)', beside: true },
};

/** Issues that one outcome tells of. */
const MAX_ISSUES = 200;

/** What was left out or changed of a foreign document, as an OperationOutcome: codes and places, no values. */
export function outcomeDraft(
  rejects: readonly Reject[],
  warnings: readonly Finding[],
  node: SourceNode,
  { sha256, country, organisation, documentId }: IdentityContext,
): Draft[] {
  const issues = [...rejects.map((one) => issueOf(one, 'error')), ...warnings.map((one) => issueOf(one, 'warning'))].slice(0, MAX_ISSUES);
  if (issues.length === 0) return [];
  const id = stableUuid(sha256, [country, organisation, 'fhir', 'OperationOutcome', documentId]);
  const resource = { resourceType: 'OperationOutcome', id, issue: issues as FhirValue };
  return [{ resource, marks: [], instance: { rule, node, id }, mention: false }];
}

function issueOf({ code, path }: Finding, severity: 'error' | 'warning'): FhirObject {
  const { fhir, what } = errorRegistry[code satisfies ErrorCode];
  return {
    severity,
    code: fhir,
    details: { coding: [{ system: 'urn:portolan:error', code, display: what }] },
    expression: [path],
  };
}
