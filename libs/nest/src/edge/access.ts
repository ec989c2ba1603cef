import { PortolanError } from '@portolan/contracts';
import type { ActingProfessional, CallEvidence, Principal, PrincipalKind } from '@portolan/domain';
import type { EdgeParts } from './edge.parts.js';

/** Header that carries the calling system's statement of who acts (a JWT with IHE IUA's extension), where the token does not. */
export const ACTING_HEADER = 'portolan-acting-professional';

export interface CallHeaders {
  readonly [name: string]: string | string[] | undefined;
}

/** Who calls, and what proves it; the proof goes on to the exchange, which verifies it again. */
export interface Caller {
  readonly principal: Principal;
  readonly evidence: CallEvidence;
}

export interface Clinician extends Caller {
  readonly acting: ActingProfessional;
}

type Tools = Pick<EdgeParts, 'tokens' | 'professionals'>;

/** The caller by its bearer token; `access.token-missing` without one, `access.not-allowed` where it is of another kind. */
export async function authenticate(headers: CallHeaders, kinds: readonly PrincipalKind[], tools: Tools): Promise<Caller> {
  const accessToken = bearer(headers);
  const principal = await tools.tokens.verify(accessToken);
  if (!kinds.includes(principal.kind)) throw new PortolanError('access.not-allowed', 'edge/access', principal.kind);
  return { principal, evidence: { accessToken } };
}

/** A call on a person's data: a system's token is not a clinician, so each call names the acting professional (design, section 4). */
export async function authenticateClinician(headers: CallHeaders, tools: Tools): Promise<Clinician> {
  const caller = await authenticate(headers, ['system', 'clinician-app'], tools);
  const assertion = one(headers[ACTING_HEADER]);
  const acting = assertion === undefined ? caller.principal.acting : await tools.professionals.verify(assertion, caller.principal);
  if (acting === undefined) throw new PortolanError('access.professional-missing', `header ${ACTING_HEADER}`);
  return { ...caller, evidence: { ...caller.evidence, ...(assertion === undefined ? {} : { assertion }) }, acting };
}

/** National id of the professional, as views and requests are bound to it. */
export const professionalKey = ({ acting }: Clinician): string => `${acting.actor.id.system}|${acting.actor.id.value}`;

function bearer(headers: CallHeaders): string {
  const [scheme, token, ...rest] = (one(headers['authorization']) ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || token === '' || rest.length > 0)
    throw new PortolanError('access.token-missing', 'header authorization');
  return token;
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? undefined : value);
