import { Catch, HttpException, Inject, Module, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { RpcException } from '@nestjs/microservices';
import { PortolanError, type ErrorCode } from '@portolan/contracts';
import { throwError, type Observable } from 'rxjs';
import { EdgeParts } from './edge.parts.js';

/** What is used of Fastify's reply. */
export interface Reply {
  status(code: number): this;
  header(name: string, value: string): this;
  send(body: unknown): unknown;
}

/**
 * Answers with a problem document (RFC 9457): `type` is `urn:portolan:error:<code>`, `title` what failed; besides `code`, `where` (a
 * place, never a value) and `next`, what to do about it.
 */
export function sendProblem(reply: Reply, error: PortolanError, more: Readonly<Record<string, unknown>> = {}): void {
  const { what, next, http: status } = error.entry;
  const detail = error.detail === undefined ? {} : { detail: error.detail };
  const problem = {
    type: `urn:portolan:error:${error.code}`,
    title: what,
    status,
    ...detail,
    code: error.code,
    where: error.where,
    next,
    ...more,
  };
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  reply.status(status).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
}

/** The edge's last word on every failure outside /fhir, which has a scope of its own: a problem document with one code of the registry. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(EdgeParts) private readonly parts: Pick<EdgeParts, 'logger'>) {}

  catch(thrown: unknown, host: ArgumentsHost): Observable<never> | undefined {
    // Between roles errors cross by their code (link/role.controller.ts); here they only pass.
    if (host.getType() === 'rpc') return throwError(() => (thrown instanceof RpcException ? thrown.getError() : { code: 'link.failed' }));
    const http = host.switchToHttp();
    const { url, method } = http.getRequest<{ url: string; method: string }>();
    const path = url.split('?', 1)[0] ?? '';
    const error = asPortolanError(thrown, `${method} ${roomOf(path)}`);
    if (error.entry.http >= 500) this.parts.logger.failure('request failed', error.code, thrown);
    sendProblem(http.getResponse<Reply>(), error);
    return undefined;
  }
}

/** Rooms of the edge outside /fhir: what their controllers are called by. */
const ROOMS = new Set(['custodian', 'ingest', 'operator', 'person', 'regulator']);

/** The room that a path leads to, where there is one: every other part of it may hold an identifier, or whatever somebody typed. */
export function roomOf(path: string): string {
  const room = path.split('/', 2)[1] ?? '';
  return ROOMS.has(room) ? `/${room}` : '/';
}

const byStatus: Readonly<Record<number, ErrorCode>> = {
  404: 'http.route-unknown',
  413: 'http.body-too-large',
  415: 'http.media-type-unsupported',
};

function asPortolanError(thrown: unknown, where: string): PortolanError {
  if (thrown instanceof PortolanError) return thrown;
  const status = thrown instanceof HttpException ? thrown.getStatus() : 500;
  return new PortolanError(byStatus[status] ?? (status < 500 ? 'http.request-malformed' : 'http.failed'), where);
}

/** Puts the filter over all rooms of the edge. */
@Module({ providers: [{ provide: APP_FILTER, useClass: ProblemFilter }] })
export class ProblemModule {}
