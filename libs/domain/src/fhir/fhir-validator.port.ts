import type { FhirObject } from '@portolan/formats';

/** One finding about a resource. Its texts name places and rules, never values: a value may be health data. */
export interface ValidationIssue {
  readonly severity: 'fatal' | 'error' | 'warning' | 'information';
  /** FHIR R4 issue-type: structure, required, value, code-invalid, invariant, not-found, security, too-costly. */
  readonly code: 'structure' | 'required' | 'value' | 'code-invalid' | 'invariant' | 'not-found' | 'security' | 'too-costly';
  /** FHIRPath-like place, e.g. `Bundle.entry[3].resource.status`. */
  readonly path: string;
  /** What is wrong, in plain words. */
  readonly reason: string;
  /** The invariant broken, e.g. `obs-6`. */
  readonly rule?: string;
}

export interface ValidationOptions {
  /** Guidance beyond FHIR R4 itself: the International Patient Summary 2.0.0 document. */
  readonly profile?: 'ips';
}

/** Judges FHIR R4 resources and bundles. */
export abstract class FhirValidator {
  /**
   * All findings, at most a bounded number; the resource is refused where one is fatal or an error (`isRefused`). Takes a
   * parsed tree whose decimals may be numbers, DecimalText or raw JSON. Never throws for what the tree holds.
   */
  abstract validate(resource: unknown, options?: ValidationOptions): readonly ValidationIssue[];
}

export const isRefused = (issues: readonly ValidationIssue[]): boolean =>
  issues.some((issue) => issue.severity === 'fatal' || issue.severity === 'error');

/** FHIR R4 XML (R4 §2.6.2) and JSON (R4 §2.6.1) as texts of each other, decimals with their digits. */
export abstract class FhirXml {
  /** FHIR JSON text of an XML resource. Throws `fhir.xml-invalid`; refuses document types and entities before parsing. */
  abstract toJson(xml: string): string;
  /** FHIR XML text of a resource, given as JSON text or as a parsed tree. Throws `fhir.json-invalid`. */
  abstract toXml(json: string | FhirObject): string;
}
