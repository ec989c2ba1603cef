import type { Instant, Uuid } from '@portolan/contracts';
import type { KeyId } from './role-tx.port.js';

/** A message as received: the exact bytes, kept. */
export interface StoredMessage {
  readonly id: Uuid;
  readonly via: 'mllp' | 'http' | 'fhir' | 'replay';
  /** The sending system as it is configured or authenticated. */
  readonly source: string;
  readonly format: string;
  readonly controlId: string;
  /** SHA-256 of the original, hex. Unique together with `source`. */
  readonly sha256: string;
  readonly receivedAt: Instant;
  readonly state: 'stored' | 'rejected' | 'not-production';
  readonly keyId: KeyId;
  readonly original: Uint8Array;
}

export interface MessageStore {
  /** Stores a message; answers with the earlier one where the same source sent the same bytes before. */
  put(message: StoredMessage): Promise<{ id: Uuid; fresh: boolean; state: StoredMessage['state'] }>;
  get(id: Uuid): Promise<StoredMessage | undefined>;
  /** Carried parts and the translation's account, encrypted beside the message. */
  putAccount(message: Uuid, keyId: KeyId, account: unknown): Promise<void>;
  account(message: Uuid): Promise<unknown>;
}

/** What could not be used, with its original, until somebody repairs or discards it. */
export interface Reject {
  readonly id: Uuid;
  readonly messageId: Uuid;
  readonly source: string;
  readonly format: string;
  readonly code: string;
  /** A place in the message, never a value. */
  readonly where: string;
  readonly at: Instant;
  readonly state: 'open' | 'repaired' | 'discarded';
}

export interface RejectStore {
  put(reject: Reject): Promise<void>;
  get(id: Uuid): Promise<Reject | undefined>;
  list(state: Reject['state'], limit: number): Promise<readonly Reject[]>;
  close(id: Uuid, state: 'repaired' | 'discarded', by: Uuid | undefined, reason: string): Promise<void>;
}

/** A code that a binding asks a person about (`unmapped: queue` of a translation map). It says nothing of whose record it stands in. */
export interface SeenQuestion {
  /** The concept map in which the answer belongs. */
  readonly map: string;
  readonly system?: string | undefined;
  readonly code: string;
  /** The rule that met it. */
  readonly rule: string;
}

export interface OpenQuestion extends SeenQuestion {
  /** In how many messages it was met. */
  readonly seen: number;
  readonly firstSeen: Instant;
  readonly lastSeen: Instant;
}

/** What a person answered: a target of a FHIR R4 ConceptMap, with the system that it is of. */
export interface MappingAnswer {
  readonly map: string;
  readonly system?: string | undefined;
  readonly code: string;
  readonly target: {
    readonly system?: string;
    readonly code?: string;
    readonly display?: string;
    readonly equivalence: string;
    readonly comment?: string;
  };
}

/** Questions about codes that no concept map knows. Bounded: beyond 10,000 none is added, nor beyond 1,000 messages to one. */
export interface MappingStore {
  /** Each of these was met in the message once more. */
  ask(questions: readonly SeenQuestion[], message: Uuid, at: Instant): Promise<void>;
  /** Open ones, the longest waiting first. */
  open(limit: number): Promise<readonly OpenQuestion[]>;
  /** Answers a question, or answers it anew; false where nobody asked it. */
  answer(answer: MappingAnswer, at: Instant): Promise<boolean>;
  /** When the last answer was given; it grows with each. */
  answeredAt(): Promise<Instant | undefined>;
  /** All answers, in one order. */
  answers(): Promise<readonly MappingAnswer[]>;
  /** Messages that met a question which is answered since and were not translated again. */
  waiting(limit: number): Promise<readonly Uuid[]>;
  /** The message was translated with the answers given until then. */
  served(message: Uuid, answeredAt: Instant): Promise<void>;
}
