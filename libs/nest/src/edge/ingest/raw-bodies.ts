import { HttpAdapterHost } from '@nestjs/core';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyAdapter } from '@nestjs/platform-fastify';

/** Content types of messages; `application/json` is not among them. FHIR at its own door is read in a scope of its own. */
const messageTypes = [
  'application/hl7-v2',
  'application/hl7-v2+er7',
  'x-application/hl7-v2+er7',
  'application/xml',
  'text/xml',
  'text/plain',
  'text/csv',
  'application/fhir+json',
  'application/octet-stream',
] as const;

/** Bodies of these types reach controllers as the bytes that came: character sets and digits are the reader's to keep. */
@Injectable()
export class RawBodies {
  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost<FastifyAdapter>) {
    const fastify = host.httpAdapter.getInstance();
    for (const type of messageTypes) {
      // Fastify reads text/plain as a string of its own accord, and lets that be replaced.
      if (type !== 'text/plain' && fastify.hasContentTypeParser(type)) continue;
      fastify.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    }
  }
}
