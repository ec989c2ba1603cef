import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { EdgeParts } from '../edge.parts.js';
import { Conformance } from './conformance.js';
import { Corrections } from './corrections.js';
import { Emergencies } from './emergencies.js';
import { fhirScope } from './fhir.plugin.js';
import { fhirRoutes } from './fhir.routes.js';
import { ForeignItems } from './foreign-items.js';
import { OtherForms } from './other-forms.js';
import { PatientLinks } from './patient-links.js';
import { PatientMatch } from './patient-match.js';
import { PatientSummary } from './patient-summary.js';
import { RecordRequests } from './record-requests.js';
import { Records } from './records.js';
import { ReportDocuments } from './report-documents.js';

/** The FHIR R4 API of the edge, under `/fhir`. Nest makes and joins the services; `fhir.routes.ts` says what is where. */
@Module({
  providers: [
    OtherForms,
    Conformance,
    Records,
    ReportDocuments,
    PatientSummary,
    PatientMatch,
    RecordRequests,
    Emergencies,
    ForeignItems,
    Corrections,
    PatientLinks,
  ],
})
export class FhirModule implements OnModuleInit {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(Conformance) private readonly conformance: Conformance,
    @Inject(Records) private readonly records: Records,
    @Inject(PatientSummary) private readonly summaries: PatientSummary,
    @Inject(ReportDocuments) private readonly documents: ReportDocuments,
    @Inject(RecordRequests) private readonly requests: RecordRequests,
    @Inject(Emergencies) private readonly emergencies: Emergencies,
    @Inject(ForeignItems) private readonly items: ForeignItems,
    @Inject(Corrections) private readonly corrections: Corrections,
    @Inject(PatientLinks) private readonly links: PatientLinks,
  ) {}

  /**
   * Not awaited: Fastify loads it when the server gets ready. To wait here would boot the server before Nest has hung in its error
   * handler, and what a body parser refuses would then leave in Fastify's own words everywhere else.
   */
  onModuleInit(): void {
    const { conformance, records, summaries, documents, requests, emergencies, items, corrections, links } = this;
    const routes = fhirRoutes({ conformance, records, summaries, documents, requests, emergencies, items, corrections, links });
    const server = this.http.httpAdapter.getInstance<FastifyInstance>();
    void server.register(fhirScope(this.parts, routes), { prefix: '/fhir' });
  }
}
