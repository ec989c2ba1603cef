import { bundleOf, custodianEntry, type Assembled, type Assembly } from './bundle.js';
import { entriesOf } from './entries.js';

/**
 * Covered resources as a FHIR R4 collection Bundle: Patient, then what is covered (for laboratory: DiagnosticReports and
 * Observations), newest first, what it refers to, and the custodian.
 */
export function assembleResults(assembly: Assembly): Assembled {
  const { patient, shown, supports } = entriesOf(assembly.content, assembly.custodian.country, assembly.sha256);
  const record = [patient, ...shown, ...supports];
  return { bundle: bundleOf('collection', [...record, custodianEntry(assembly)], assembly), entries: record };
}
