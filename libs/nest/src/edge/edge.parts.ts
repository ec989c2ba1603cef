import type { CountryCode, Validators } from '@portolan/contracts';
import type {
  AccessTokens,
  Clock,
  CountrySetting,
  EdgeTx,
  FhirValidator,
  FhirXml,
  ProfessionalAssertions,
  Random,
  Sha256,
  Telemetry,
  UnitOfWork,
  Wakeups,
} from '@portolan/domain';
import type { CountryPack } from '@portolan/formats';
import type { RoleLink } from '../link/role-link.js';
import type { NodeLogger } from '../runtime/logger.js';
import type { Answers } from './answers.js';

/**
 * Everything the edge's modules may use; composition binds it, Nest injects it by this class. The edge can ask, it cannot release:
 * there is no sealing, exchange or ledger key among these (design, section 3).
 */
export abstract class EdgeParts {
  abstract readonly country: CountrySetting;
  /** How this country's formats are read. */
  abstract readonly pack: CountryPack;
  /** Countries that can be asked. */
  abstract readonly partners: readonly CountryCode[];
  abstract readonly clock: Clock;
  abstract readonly random: Random;
  abstract readonly sha256: Sha256;
  abstract readonly validators: Validators;
  abstract readonly uow: UnitOfWork<EdgeTx>;
  abstract readonly wakeups: Wakeups;
  /** Tells who waits on the line. */
  abstract readonly answers: Answers;
  abstract readonly link: RoleLink;
  abstract readonly tokens: AccessTokens;
  abstract readonly professionals: ProfessionalAssertions;
  abstract readonly fhirValidator: FhirValidator;
  abstract readonly fhirXml: FhirXml;
  abstract readonly telemetry: Telemetry;
  abstract readonly logger: NodeLogger;
  abstract readonly mode: 'demo' | 'production';
  /** Base address of the FHIR API as clients see it, without a trailing slash. */
  abstract readonly fhirBase: string;
  /** Issuer of access tokens, whose endpoints clients are told. */
  abstract readonly tokenIssuer: string;
  /** Systems that may send: by MLLP application|facility, or by client id. */
  abstract readonly sources: readonly SendingSystem[];
}

/** A system of the country that sends messages: who it says it is, and which organisation it belongs to. */
export interface SendingSystem {
  /** MSH-3|MSH-4 over MLLP, client id over HTTP. */
  readonly name: string;
  readonly organisation: { readonly system: string; readonly value: string; readonly name: string };
  /** Identifier systems in which the organisation gives persons and stays their numbers. */
  readonly assigns?: readonly string[];
}
