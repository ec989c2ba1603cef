import { PortolanError, type ErrorCode, type Kid, type PublicJwk } from '@portolan/contracts';
import type { OpenedPart, OwnKey, PartHeader, PrivateKeyHandle } from '@portolan/domain';

/**
 * What a thread is given to do: the arguments of `Sealer.seal` or `Sealer.open`, and the public halves of our own keys that it may use: the
 * current one to sign with, or all to which something can still be sealed.
 */
export type Job =
  | {
      readonly do: 'seal';
      readonly own: readonly [OwnKey];
      readonly content: Uint8Array;
      readonly header: PartHeader;
      readonly recipient: { readonly kid: Kid; readonly publicJwk: PublicJwk };
      readonly options: { readonly padTo?: number };
    }
  | { readonly do: 'open'; readonly own: readonly OwnKey[]; readonly part: Uint8Array; readonly expected: PartHeader };

/** What a thread asks meanwhile: a handle of a private key of ours, once, and the registered key of a sender, every time. */
export type Question =
  { readonly what: 'private-key'; readonly kid: Kid } | { readonly what: 'sender'; readonly country: string; readonly kid: Kid };

export type Answer = PrivateKeyHandle | PublicJwk | undefined;

/** An error as it crosses between threads, where classes are lost. */
export interface Failure {
  readonly code: ErrorCode;
  readonly where: string;
  readonly detail: string | undefined;
}

export type ToThread =
  | { readonly job: number; readonly work: Job }
  | { readonly question: number; readonly answer: Answer }
  | { readonly question: number; readonly failure: Failure };

export type FromThread =
  | { readonly job: number; readonly question: number; readonly asks: Question }
  | { readonly job: number; readonly result: Uint8Array | OpenedPart }
  | { readonly job: number; readonly failure: Failure };

/** Errors of the house go across as they are; of anything else only its kind does. */
export function failureOf(error: unknown): Failure {
  if (error instanceof PortolanError) return { code: error.code, where: error.where, detail: error.detail };
  return { code: 'runtime.unexpected', where: 'sealing thread', detail: error instanceof Error ? error.name : undefined };
}

export function errorOf({ code, where, detail }: Failure): PortolanError {
  return new PortolanError(code, where, detail);
}
