import { Inject, Injectable } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import { assembleReport, isUuid, type EdgeTx, type ResourceVersion } from '@portolan/domain';
import { base64 } from '@portolan/verify';
import { EdgeParts } from '../edge.parts.js';
import { Accesses } from './accesses.js';
import { ok, type FhirAnswer, type FhirCall } from './fhir-call.js';
import { fhirCaller, type FhirCaller } from './fhir-caller.js';
import { OtherForms } from './other-forms.js';
import { documentText, ownRecord } from './own-record.js';

/** What the formats' messages are, as a FHIR Binary names it. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  hl7v2: 'x-application/hl7-v2+er7',
  cda: 'application/hl7-cda+xml',
  kmehr: 'application/xml',
};

/**
 * A report of a laboratory, of imaging or of a stay as a FHIR document (LOINC 11502-2, 18748-4, 34105-7), and beside it the original of the
 * message from which it came: both of our own record, to who may read all of it.
 */
@Injectable()
export class ReportDocuments {
  constructor(
    @Inject(EdgeParts) private readonly parts: EdgeParts,
    @Inject(OtherForms) private readonly forms: OtherForms,
  ) {}

  /** Throws `fhir.not-found` where nothing of this id is kept here, or it is no such report. */
  async document(call: FhirCall, type: 'DiagnosticReport' | 'Encounter'): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts, ['*', 'r']);
    const { id = '' } = call.params;
    const answer = await this.parts.uow.run(async (tx) => {
      const root = await tx.resources.get(type, id);
      if (root?.person === undefined || root.deleted) return undefined;
      return this.forms.write(await this.assembled(tx, { ...root, person: root.person }, caller), call.form);
    });
    if (answer === undefined) throw new PortolanError('fhir.not-found', `${type} resource`);
    return answer;
  }

  /** The message as it came, as a Binary: its id is that of the Provenance which names it. */
  async original(call: FhirCall): Promise<FhirAnswer> {
    const caller = await fhirCaller(call, this.parts, ['*', 'r']);
    const { id = '' } = call.params;
    const answer = isUuid(id) ? await this.parts.uow.run((tx) => this.binary(tx, id, caller)) : undefined;
    if (answer === undefined) throw new PortolanError('fhir.not-found', 'Binary resource');
    return answer;
  }

  private async assembled(
    tx: EdgeTx,
    root: ResourceVersion & { readonly person: NonNullable<ResourceVersion['person']> },
    caller: FhirCaller,
  ): Promise<FhirAnswer | undefined> {
    const { person } = root;
    const record = await ownRecord(tx, person, this.parts);
    const document = record && assembleReport(record, `${root.type}/${root.id}`);
    if (document === undefined) return undefined;
    const text = await documentText(tx, person, document, caller, this.parts);
    return root.messageId === undefined
      ? ok(text)
      : ok(text, { link: `<${this.parts.fhirBase}/Binary/${root.messageId}>; rel="original"` });
  }

  private async binary(tx: EdgeTx, id: string, caller: FhirCaller): Promise<FhirAnswer | undefined> {
    const [message, provenance] = [await tx.messages.get(id), await tx.resources.get('Provenance', id)];
    if (message === undefined || provenance?.person === undefined || message.state !== 'stored') return undefined;
    const accesses = new Accesses(tx, this.parts, caller);
    await accesses.person(provenance.person, [`Binary/${id}`]);
    await accesses.record('record-read');
    const contentType = MEDIA_TYPES[message.format] ?? 'application/octet-stream';
    return ok(JSON.stringify({ resourceType: 'Binary', id, contentType, data: base64(message.original) }));
  }
}
