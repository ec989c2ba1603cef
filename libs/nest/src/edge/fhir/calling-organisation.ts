import { PortolanError } from '@portolan/contracts';
import type { EdgeParts } from '../edge.parts.js';
import type { FhirCaller } from './fhir-caller.js';

/**
 * For which organisation a call is made: a system is of the one that it is registered for, whatever it states; an application's token names the
 * professional's. Undefined for a system that is registered for none.
 */
export function callingOrganisation(
  { principal, evidence, acting }: FhirCaller,
  { sources }: Pick<EdgeParts, 'sources'>,
): { system: string; value: string } | undefined {
  const byToken = principal.kind === 'clinician-app' && evidence.assertion === undefined;
  return byToken ? acting.actor.organisation.id : sources.find(({ name }) => name === principal.clientId)?.organisation;
}

/** The same at a door for custodians, which is shut to a system that is registered for none: throws `person.not-custodian`. */
export function demandOrganisation(caller: FhirCaller, parts: Pick<EdgeParts, 'sources'>): { system: string; value: string } {
  const calling = callingOrganisation(caller, parts);
  if (calling === undefined) throw new PortolanError('person.not-custodian', 'the calling system');
  return calling;
}
