import type { Actor, BusinessIdentifier, Instant, ProxyRelationship, Purpose } from '@portolan/contracts';

/**
 * Whose access token this is.
 *
 * - `system`: a machine of an organisation (SMART Backend Services); it names the acting professional in each call.
 * - `clinician-app`: an application that a professional logged in to.
 * - `person`, `regulator`, `operator`: that human, through the portal.
 */
export const principalKinds = ['system', 'clinician-app', 'person', 'regulator', 'operator'] as const;
export type PrincipalKind = (typeof principalKinds)[number];

export interface Principal {
  readonly kind: PrincipalKind;
  /** `sub` of the token, unique within its issuer. */
  readonly subject: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Identifier under which the country knows the person; always there where `kind` is `person`. */
  readonly personIdentifier?: BusinessIdentifier;
  /** Of a person's token: for whom else she may speak, as the login provider attests; what she may say then is the policy's. */
  readonly represents?: readonly Representation[];
  /** Name for the person's log. */
  readonly name?: string;
  /** Where the token itself carries the IUA extension: who acts in every call made with it. */
  readonly acting?: ActingProfessional;
}

/** That one person stands in a relationship to another. */
export interface Representation {
  /** Identifier under which the country knows the person who is spoken for. */
  readonly person: BusinessIdentifier;
  readonly relationship: ProxyRelationship;
}

/** What the IHE IUA extension says of one act: who, why, and on whose record. */
export interface ActingProfessional {
  readonly actor: Actor;
  /** `purpose_of_use`, in the order given; at least one. */
  readonly purposes: readonly Purpose[];
  /** `person_id`: the public identifier of the person whose record is accessed, where the act is bound to one. */
  readonly personId?: string;
  /** The statement that says so, where there is one of its own beside the token. */
  readonly statement?: StatementMark;
}

/** By which a statement is known again while it may be used. */
export interface StatementMark {
  /** Client and `jti`: no other statement has it. */
  readonly id: string;
  /** No verifier takes it after this instant. */
  readonly until: Instant;
}

/** Verifies bearer tokens (RFC 6750) that are JWTs (RFC 9068). */
export abstract class AccessTokens {
  /**
   * Throws `access.token-invalid` (not a JWT of a trusted issuer, wrong signature, audience or type), `access.token-expired`,
   * `access.keys-unreachable` (retriable: the issuer's keys cannot be fetched).
   */
  abstract verify(token: string): Promise<Principal>;
}

/**
 * Verifies the short-lived statement of a system about the professional who acts: a JWT that the calling system signs with its own
 * registered key, with IHE IUA's `extensions.ihe_iua` (ITI TF-2 3.71.4.2.2.1.1).
 */
export abstract class ProfessionalAssertions {
  /**
   * `principal` is who calls: the statement must be that same client's (`iss` = `client_id`).
   * Throws `access.assertion-invalid`, `access.assertion-expired`, `access.professional-missing` (a claim that is needed to name the
   * professional is absent), `access.keys-unreachable`.
   */
  abstract verify(jwt: string, principal: Principal): Promise<ActingProfessional>;
}
