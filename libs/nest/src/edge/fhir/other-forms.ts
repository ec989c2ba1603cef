import { Inject, Injectable } from '@nestjs/common';
import { PortolanError } from '@portolan/contracts';
import { answerFormat, instant, parseFhirJson, type FhirFormat } from '@portolan/domain';
import { BackDocuments, BackMaps, ianaName, resourcesIn, stableUuid, type FhirObject, type FhirResource } from '@portolan/formats';
import { hexOf } from '@portolan/verify';
import { EdgeParts } from '../edge.parts.js';
import type { FhirAnswer, OtherForm } from './fhir-call.js';

/**
 * Media types by which a client asks for them, each form's own first: `application/hl7-v2` as HAPI's HL7 over HTTP has it, with the names that are met
 * beside it; `application/cda+xml` as registered with IANA. `text/xml` means FHIR here, as R4 §3.1.0.1.11 has it.
 */
const MEDIA_TYPES: ReadonlyMap<string, OtherForm> = new Map([
  ['application/hl7-v2', 'hl7v2'],
  ['application/hl7-v2+er7', 'hl7v2'],
  ['x-application/hl7-v2+er7', 'hl7v2'],
  ['application/cda+xml', 'cda'],
  ['application/hl7-cda+xml', 'cda'],
]);
/** The form of an answer; of those that are no FHIR only what is offered here. Throws `fhir.not-acceptable` and `fhir.form-undeclared` (406). */
export function answerForm(accept: string | undefined, format: string | undefined, offered: readonly OtherForm[]): FhirFormat | OtherForm {
  try {
    return answerFormat(accept, format, new Map([...MEDIA_TYPES].filter(([, form]) => offered.includes(form))));
  } catch (error) {
    // Throws the same where it is no form of ours at all.
    const wanted = answerFormat(accept, format, MEDIA_TYPES);
    if (wanted === 'hl7v2' || wanted === 'cda') throw new PortolanError('fhir.form-undeclared', 'Accept', wanted);
    throw error;
  }
}

type Written = Pick<FhirAnswer, 'text' | 'bytes' | 'contentType'>;

/** Writes what a call is answered with in another form: the very Bundle that it would have got as FHIR, and nothing more. */
@Injectable()
export class OtherForms {
  private messages: BackMaps | undefined;
  private documents: BackDocuments | undefined;

  constructor(@Inject(EdgeParts) private readonly parts: EdgeParts) {}

  /**
   * Called in the transaction that records the reading: where it cannot be written, nothing is on record as read. Throws
   * `translate.back-unwritable` and `translate.charset-lacking`.
   */
  write(answer: FhirAnswer | undefined, form: OtherForm | undefined): FhirAnswer | undefined {
    if (answer?.text === undefined || form === undefined) return answer;
    const bundle = parseFhirJson(answer.text, 'the answer') as FhirObject;
    const resources = resourcesIn(bundle);
    if (resources === undefined) throw new PortolanError('translate.back-unwritable', 'the answer');
    return { ...answer, ...(form === 'cda' ? this.document(resources) : this.messagesOf(resources)) };
  }

  private messagesOf(resources: readonly FhirResource[]): Written {
    const { country, pack, clock, random, mode } = this.parts;
    this.messages ??= BackMaps.of();
    const charset = pack.charsetOut ?? 'UNICODE UTF-8';
    const { text, bytes } = this.messages.write({
      resources,
      message: 'all',
      country: pack,
      sha256: this.sha256,
      sender: { application: 'PORTOLAN', facility: country.code },
      sent: `${instant(clock.now()).replace(/\D/g, '').slice(0, 14)}+0000`,
      controlId: () => random.uuid().replaceAll('-', '').slice(0, 20).toUpperCase(),
      processing: mode === 'production' ? 'P' : 'T',
      charset,
    });
    return { text, bytes, contentType: `application/hl7-v2; charset=${ianaName(charset)}` };
  }

  private document(resources: readonly FhirResource[]): Written {
    const { country, pack, clock, random } = this.parts;
    this.documents ??= BackDocuments.of();
    const { text } = this.documents.write({
      resources,
      country: pack,
      sha256: this.sha256,
      made: instant(clock.now()),
      documentId: random.uuid(),
      language: pack.language,
      custodian: { root: stableUuid(this.sha256, ['custodian', country.code]).toUpperCase(), name: country.name },
    });
    return { text, contentType: 'application/cda+xml; charset=utf-8' };
  }

  private readonly sha256 = (bytes: Uint8Array): string => hexOf(this.parts.sha256(bytes));
}
