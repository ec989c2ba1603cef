import { PortolanError } from '@portolan/contracts';
import { contentTypeOf, type FhirFormat } from '@portolan/domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EdgeParts } from '../edge.parts.js';
import { FHIR_BODY_LIMIT, type FhirAnswer, type FhirCall, type OtherForm } from './fhir-call.js';
import { failureAnswer } from './fhir-failure.js';
import type { FhirRoute } from './fhir.routes.js';
import { answerForm } from './other-forms.js';

/** Answers hold health data, or say that there is none: nothing between here and the client keeps a copy. */
const NO_STORE = { 'cache-control': 'no-store' };

/**
 * The FHIR API as a scope of its own in the edge's HTTP server: bodies arrive as bytes whatever their type, so that digits stay and no
 * parser but ours reads them, and every failure leaves as OperationOutcome, also that of an address that nothing answers to.
 */
export function fhirScope(parts: EdgeParts, routes: readonly FhirRoute[]): (scope: FastifyInstance) => Promise<void> {
  return async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: FHIR_BODY_LIMIT }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, request, reply) => fail(error, request, reply, parts));
    scope.setNotFoundHandler((request, reply) => fail(nothingHere(request, routes), request, reply, parts, allowed(request, routes)));
    for (const route of routes) {
      scope.route({
        method: route.method,
        url: route.url,
        bodyLimit: FHIR_BODY_LIMIT,
        handler: (request, reply) => traced(route, request, parts, () => answer(route, request, reply, parts)),
      });
    }
  };
}

/** One span a call: everything that the call causes, here and abroad, hangs under it. */
function traced(route: FhirRoute, request: FastifyRequest, parts: EdgeParts, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
  const { traceparent } = request.headers;
  const attributes = { 'http.request.method': route.method, 'http.route': `/fhir${route.url}` };
  return parts.telemetry.span(`fhir ${route.name}`, attributes, typeof traceparent === 'string' ? { traceparent } : undefined, work);
}

async function answer(route: FhirRoute, request: FastifyRequest, reply: FastifyReply, parts: EdgeParts): Promise<FastifyReply> {
  const call = callOf(request);
  const form = formOf(call, route.forms?.(call) === true ? (parts.pack.formatsOut ?? []) : []);
  if (form === 'json' || form === 'xml') return send(reply, await route.handle(call), form, parts);
  return send(reply, await route.handle({ ...call, form }), 'json', parts);
}

function callOf(request: FastifyRequest): FhirCall {
  const { method, headers, body } = request;
  return {
    method,
    params: request.params as Record<string, string>,
    query: new URLSearchParams(request.url.split('?')[1] ?? ''),
    headers,
    body: body instanceof Uint8Array ? body : undefined,
  };
}

const formOf = ({ headers, query }: FhirCall, offered: readonly OtherForm[]): FhirFormat | OtherForm =>
  answerForm(typeof headers['accept'] === 'string' ? headers['accept'] : undefined, query.get('_format') ?? undefined, offered);

function send(
  reply: FastifyReply,
  { status, text, headers, plain, contentType, bytes }: FhirAnswer,
  format: FhirFormat,
  parts: EdgeParts,
): FastifyReply {
  void reply.status(status).headers({ ...NO_STORE, ...headers });
  if (text === undefined) return reply.send();
  if (contentType !== undefined) return reply.type(contentType).send(bytes === undefined ? text : Buffer.from(bytes));
  if (plain === true) return reply.type('application/json; charset=utf-8').send(text);
  return reply.type(contentTypeOf(format)).send(format === 'xml' ? parts.fhirXml.toXml(text) : text);
}

function fail(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: EdgeParts,
  headers: Record<string, string> = {},
): FastifyReply {
  const { status, outcome, code } = failureAnswer(error);
  if (status >= 500) parts.logger.failure('a FHIR call failed', code, error);
  const authenticate: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  const answered = { status, text: JSON.stringify(outcome), headers: { ...headers, ...authenticate } };
  return send(reply, answered, acceptedOrJson(request), parts);
}

/** A client that accepts nothing of ours is told so in JSON. */
function acceptedOrJson(request: FastifyRequest): FhirFormat {
  try {
    return formOf(callOf(request), []) === 'xml' ? 'xml' : 'json';
  } catch {
    return 'json';
  }
}

/** Methods that some route takes at this address. */
function methodsAt(request: FastifyRequest, routes: readonly FhirRoute[]): readonly string[] {
  const segments = (request.url.split('?')[0] ?? '').split('/').slice(2);
  const fits = (url: string): boolean => {
    const wanted = url.split('/').slice(1);
    return (
      wanted.length === segments.length &&
      wanted.every((one, i) => one === segments[i] || (one.startsWith(':') && /^[A-Za-z0-9]/.test(segments[i] ?? '')))
    );
  };
  return [...new Set(routes.filter(({ url }) => fits(url)).map(({ method }) => method))];
}

function nothingHere(request: FastifyRequest, routes: readonly FhirRoute[]): PortolanError {
  return methodsAt(request, routes).length === 0
    ? new PortolanError('fhir.address-unknown', 'the address')
    : new PortolanError('fhir.method-unsupported', 'the method');
}

function allowed(request: FastifyRequest, routes: readonly FhirRoute[]): Record<string, string> {
  const methods = methodsAt(request, routes);
  return methods.length === 0 ? {} : { allow: methods.join(', ') };
}
