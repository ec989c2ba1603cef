import type { SearchTraits } from '@portolan/contracts';
import { toFhirJson, type FhirObject } from '@portolan/formats';

/** One version of a resource in its history; `text` is undefined where this version is a deletion. */
export interface HistoryEntry {
  readonly versionId: number;
  readonly lastUpdated: string;
  readonly text: string | undefined;
}

/** FHIR JSON text of a history Bundle of one resource, newest first (R4 §3.1.0.12); resources are spliced in as they are. */
export function historyBundle(base: string, type: string, id: string, versions: readonly HistoryEntry[]): string {
  const url = `${type}/${id}`;
  const entries = versions.map(({ versionId, lastUpdated, text }) => {
    const method = text === undefined ? 'DELETE' : versionId === 1 ? 'POST' : 'PUT';
    const status = text === undefined ? '204' : versionId === 1 ? '201' : '200';
    const request = JSON.stringify({ method, url });
    const response = JSON.stringify({ status, etag: `W/"${versionId}"`, lastModified: lastUpdated });
    return `{"fullUrl":${JSON.stringify(`${base}/${url}`)}${text === undefined ? '' : `,"resource":${text}`},"request":${request},"response":${response}}`;
  });
  return `{"resourceType":"Bundle","type":"history","total":${versions.length}${entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`}}`;
}

/** A person found with certainty: the text of the Patient that says so. */
export interface CertainMatch {
  readonly id: string;
  readonly text: string;
}

const MATCH_GRADE = 'http://hl7.org/fhir/StructureDefinition/match-grade';

/**
 * FHIR JSON text of the answer to `Patient/$match` (R4 §Patient-match): one certain match or none. Two answers "none" differ in id and
 * time alone (design, invariant 8).
 */
export function matchBundle(base: string, head: { readonly id: string; readonly time: string }, match: CertainMatch | undefined): string {
  const search = JSON.stringify({ extension: [{ url: MATCH_GRADE, valueCode: 'certain' }], mode: 'match', score: 1 });
  const entry =
    match === undefined
      ? ''
      : `,"entry":[{"fullUrl":${JSON.stringify(`${base}/Patient/${match.id}`)},"resource":${match.text},"search":${search}}]`;
  const meta = JSON.stringify({ lastUpdated: head.time });
  return `{"resourceType":"Bundle","id":${JSON.stringify(head.id)},"meta":${meta},"type":"searchset","total":${match === undefined ? 0 : 1}${entry}}`;
}

/** A Patient that says what was sent and nothing else, under our own handle of the person. */
export function sentPatient(handle: string, { identifiers, birthDate, family, given }: SearchTraits): string {
  const name: FhirObject = { ...(family === undefined ? {} : { family }), ...(given === undefined ? {} : { given: [given] }) };
  return toFhirJson({
    resourceType: 'Patient',
    id: handle,
    identifier: identifiers.map(({ system, value }) => ({ system, value })),
    ...(Object.keys(name).length === 0 ? {} : { name: [name] }),
    ...(birthDate === undefined ? {} : { birthDate }),
  });
}
