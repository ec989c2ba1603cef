import { FastifyAdapter } from '@nestjs/platform-fastify';
import { PortolanError } from '@portolan/contracts';
import { contentTypeOf } from '@portolan/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { failureAnswer } from './fhir/index.js';
import { sendProblem } from './problem.filter.js';
import { LENIENCY, readRefusedBodies } from './refused-body.js';

/** Largest HTTP body in bytes: a batch of messages, a document with its attachment. */
export const BODY_LIMIT = 10_000_000;

/**
 * The edge's HTTP server. An address that cannot even be decoded reaches no room; it is answered here in the form of the room that it
 * would have been for, and never quoted.
 */
export function edgeHttpAdapter(leniency = LENIENCY): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    frameworkErrors: (_error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      if (!/^\/fhir(?:\/|$)/.test(request.url)) {
        sendProblem(reply, new PortolanError('http.request-malformed', 'the address'));
        return;
      }
      const { status, outcome } = failureAnswer(new PortolanError('fhir.address-unknown', 'the address'));
      void reply.status(status).header('content-type', contentTypeOf('json')).send(JSON.stringify(outcome));
    },
  });
  adapter.getInstance().addHook('onSend', readRefusedBodies(leniency));
  return adapter;
}
