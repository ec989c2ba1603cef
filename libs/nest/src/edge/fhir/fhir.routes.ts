import type { Conformance } from './conformance.js';
import type { Corrections } from './corrections.js';
import type { Emergencies } from './emergencies.js';
import type { FhirAnswer, FhirCall } from './fhir-call.js';
import type { ForeignItems } from './foreign-items.js';
import type { PatientLinks } from './patient-links.js';
import type { PatientSummary } from './patient-summary.js';
import type { RecordRequests } from './record-requests.js';
import type { Records } from './records.js';
import type { ReportDocuments } from './report-documents.js';

/** One address of the FHIR API. */
export interface FhirRoute {
  readonly method: 'GET' | 'POST';
  /** Below `/fhir`; `:name` is a part of the address. */
  readonly url: string;
  /** A word for traces. */
  readonly name: string;
  /** Its documents are given in the other forms that the country has declared, too. */
  readonly forms?: (call: FhirCall) => boolean;
  readonly handle: (call: FhirCall) => Promise<FhirAnswer>;
}

export interface FhirServices {
  readonly conformance: Conformance;
  readonly records: Records;
  readonly summaries: PatientSummary;
  readonly documents: ReportDocuments;
  readonly requests: RecordRequests;
  readonly emergencies: Emergencies;
  readonly items: ForeignItems;
  readonly corrections: Corrections;
  readonly links: PatientLinks;
}

/** The whole FHIR API on one page. */
export function fhirRoutes(services: FhirServices): readonly FhirRoute[] {
  const { conformance, records, summaries, documents, requests, emergencies, items, corrections, links } = services;
  const get = (url: string, name: string, handle: FhirRoute['handle']): FhirRoute => ({ method: 'GET', url, name, handle });
  const send = (url: string, name: string, handle: FhirRoute['handle']): FhirRoute => ({ method: 'POST', url, name, handle });
  const inForms = (route: FhirRoute, forms = (_call: FhirCall): boolean => true): FhirRoute => ({ ...route, forms });
  return [
    // Conformance: without a token.
    get('/metadata', 'metadata', () => conformance.metadata()),
    get('/.well-known/smart-configuration', 'smart-configuration', () => conformance.smartConfiguration()),
    // What this node stores, and the foreign records open to the caller.
    get('/:type', 'search', (call) => records.search(call)),
    send('/:type/_search', 'search', (call) => records.search(call)),
    // One entry alone tells of nobody: a message or document is made of a whole one.
    inForms(
      get('/:type/:id', 'read', (call) => records.read(call)),
      ({ params }) => params['type'] === 'Bundle',
    ),
    get('/:type/:id/_history', 'history', (call) => records.history(call)),
    get('/:type/:id/_history/:version', 'vread', (call) => records.version(call)),
    inForms(get('/Patient/:id/$summary', 'summary', (call) => summaries.summary(call))),
    inForms(send('/Patient/:id/$summary', 'summary', (call) => summaries.summary(call))),
    inForms(get('/DiagnosticReport/:id/$document', 'document', (call) => documents.document(call, 'DiagnosticReport'))),
    inForms(get('/Encounter/:id/$document', 'document', (call) => documents.document(call, 'Encounter'))),
    get('/Binary/:id', 'original', (call) => documents.original(call)),
    // Crossing is explicit.
    send('/Patient/$match', 'match', (call) => requests.match(call)),
    send('/$request-record', 'request-record', (call) => requests.request(call)),
    get('/$async/:id', 'async', (call) => requests.poll(call)),
    send('/$declare-emergency', 'declare-emergency', (call) => emergencies.declare(call)),
    send('/$end-emergency', 'end-emergency', (call) => emergencies.end(call)),
    send('/$review-emergency', 'review-emergency', (call) => emergencies.review(call)),
    // Acts on single entries.
    send('/$adopt', 'adopt', (call) => items.adopt(call)),
    send('/$propose', 'propose', (call) => items.propose(call)),
    send('/$correct', 'correct', (call) => corrections.correct(call)),
    send('/$link', 'link', (call) => links.link(call)),
    send('/$unlink', 'unlink', (call) => links.unlink(call)),
  ];
}
