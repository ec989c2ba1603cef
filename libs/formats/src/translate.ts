import { PortolanError, type FormatName, type Instant } from '@portolan/contracts';
import type { CountryPack } from './country-pack.js';
import { accountOf, provenanceOf } from './engine/account.js';
import {
  isFhirObject,
  type Account,
  type ElementProvenance,
  type FhirJudge,
  type FhirResource,
  type Format,
  type MappingQuestion,
  type MapSet,
  type Reject,
  type Sha256Hex,
  type SourceDocument,
  type SourceHeader,
} from './engine/index.js';
import { run, type RunResult } from './engine/run.js';
import { compactSpan, type TimeSpan } from './engine/times.js';
import { unlikeExtracts } from './csv/index.js';
import { detectFormat, formatNamed } from './formats.js';
import { movedTo, unmovable } from './moved-identifiers.js';
import { movedStays, unpairedStays, type MovedStay } from './moved-stays.js';
import { toldCodings } from './terminology/told-codings.js';
import { personTraits, type PersonTraits } from './person-traits.js';

/** Largest document that is translated unless the caller says otherwise: 1 MiB. */
export const DEFAULT_MAX_BYTES = 1_048_576;

export interface TranslationInput {
  /** The document exactly as received. */
  readonly bytes: Uint8Array;
  readonly format: FormatName | 'auto';
  readonly country: CountryPack;
  /** SHA-256 as 64 lower-case hexadecimal digits, synchronous. */
  readonly sha256: Sha256Hex;
  /** When the document came; stands in no resource. */
  readonly received: Instant;
  readonly maxBytes?: number;
  /** Whether a foreign resource is FHIR R4. Without it a document of the format `fhir` is not taken (`ingest.format-unknown`). */
  readonly judge?: FhirJudge;
  /** The authenticated sender: part of the ids of a format whose documents need not say where they come from. */
  readonly source?: string;
  /** Who sent the document, in place of whom it names: ids are those that documents of this organisation give (`SourceHeader.sender`). */
  readonly organisation?: string;
  /** Id of the Patient whom the document is about, in place of the one that its identifiers give: what is filed under her hangs under this. */
  readonly subject?: string;
}

/** What a document says of its own age; a time whose day or offset is not known says nothing. */
export interface SaidTimes {
  /** When it was made: HL7 v2 MSH-7, CDA effectiveTime. */
  readonly sent?: TimeSpan;
  /** When what it tells of was entered: HL7 v2 EVN-2. */
  readonly recorded?: TimeSpan;
}

export interface Translation {
  readonly format: FormatName;
  /** SHA-256 of the rules and concept maps in force. */
  readonly mapVersion: string;
  readonly received: Instant;
  readonly message: SourceHeader;
  readonly times: SaidTimes;
  /** The persons whom the document is about. */
  readonly persons: readonly PersonTraits[];
  /** Under which identifiers those persons were kept before the document joined them (HL7 v2: MRG), or beside (A24): Patients that name theirs. */
  readonly priors: readonly PersonTraits[];
  /** Of whom the document takes back that they are its person (HL7 v2 A37). */
  readonly parted: readonly PersonTraits[];
  /** Of the priors, those that were another person's until now and are taken from her (HL7 v2 A43). */
  readonly moved: readonly PersonTraits[];
  /** Stays that were another's until now, or stood under another number (HL7 v2 A45). */
  readonly movedStays: readonly MovedStay[];
  readonly resources: readonly FhirResource[];
  /**
   * What the document says of itself (HL7 v2: MessageHeader, Provenance, the systems and organisations between which it went): it refers to
   * `resources`, is no part of anybody's record, and what it says stays among the carried values.
   */
  readonly beside: readonly FhirResource[];
  /** Indexes of resources that the document only mentions: it is no authority to replace what is already known of them. */
  readonly mentions: readonly number[];
  /** This and the account are accessors, written out when asked for: a copy by spread has neither. */
  readonly provenance: readonly ElementProvenance[];
  readonly account: Account;
  /** Codes for whose counterpart the country asks a person: no part of anybody's record. */
  readonly questions: readonly MappingQuestion[];
}

/**
 * Translates one document into FHIR R4 resources, with where each element came from and what became of each value. Pure:
 * the same bytes, country and rules give the same answer.
 *
 * Throws PortolanError `ingest.*` only where the bytes cannot be read at all. Everything else stands in the account: a
 * broken value is carried and told as a warning, an entry that cannot be used is carried and told as a reject of severity
 * `entry`; a reject of severity `document` says that the document as a whole must not be stored before it is repaired. Account and provenance
 * are written out when they are asked for.
 */
export function translate(input: TranslationInput): Translation {
  const format = chosenFormat(input);
  const set = input.country.sets.get(format.name);
  if (set === undefined) throw new PortolanError('ingest.format-unknown', 'country', format.name);
  const document = format.read(input.bytes, {
    maxBytes: input.maxBytes ?? DEFAULT_MAX_BYTES,
    sha256: input.sha256,
    ...(input.country.extracts !== undefined && { extracts: input.country.extracts }),
    ...(input.source !== undefined && { source: input.source }),
  });
  const result = resultOf(document, set, input);
  const drafts = result.drafts.filter((draft) => !isBeside(draft));
  const says = document.header.persons;
  const persons = drafts.flatMap((draft, i) => (draft.instance.rule.rule.subject === true ? [personTraits(draft.resource, i)] : []));
  const priors = drafts.flatMap((draft, i) =>
    isReplaced(draft) || (says === 'linked' && isOther(draft)) ? [personTraits(draft.resource, i)] : [],
  );
  const rejects = [
    ...result.rejects,
    ...documentRejects(document, { ...result, drafts }),
    ...(says === 'moved' ? unmovable(persons, priors) : []),
    ...(says === 'stay-moved' ? unpairedStays(drafts) : []),
  ];
  const written = new WrittenWhenAsked(
    () => accountOf(document.root, set, drafts, [...result.warnings, ...toldCodings(drafts, set.known)], rejects),
    () => provenanceOf(drafts),
  );
  return Object.assign(written, {
    format: format.name,
    mapVersion: set.version(input.sha256),
    received: input.received,
    message: document.header,
    times: timesOf(input.country, document),
    persons,
    priors,
    parted: drafts.flatMap((draft, i) => (says === 'parted' && isOther(draft) ? [personTraits(draft.resource, i)] : [])),
    moved: says === 'moved' ? priors : [],
    movedStays: says === 'stay-moved' ? movedStays(drafts) : [],
    resources: drafts.map((draft) => draft.resource),
    beside: result.drafts.filter(isBeside).map((draft) => draft.resource),
    mentions: drafts.flatMap((draft, i) => (draft.mention ? [i] : [])),
    questions: result.questions,
  });
}

/**
 * What is written out when somebody asks for it, and then kept. A class, for accessors of an object literal give each object a hidden class of
 * its own in V8, which lives in old memory and keeps all that they close over, a whole message, until that is cleared.
 */
class WrittenWhenAsked implements Pick<Translation, 'account' | 'provenance'> {
  readonly #makeAccount: () => Account;
  readonly #makeProvenance: () => readonly ElementProvenance[];
  #account: Account | undefined;
  #provenance: readonly ElementProvenance[] | undefined;

  constructor(makeAccount: () => Account, makeProvenance: () => readonly ElementProvenance[]) {
    this.#makeAccount = makeAccount;
    this.#makeProvenance = makeProvenance;
  }

  get account(): Account {
    return (this.#account ??= this.#makeAccount());
  }

  get provenance(): readonly ElementProvenance[] {
    return (this.#provenance ??= this.#makeProvenance());
  }
}

function resultOf(document: SourceDocument, set: MapSet, input: TranslationInput): RunResult {
  const named = identityOf(input, document);
  const subject = named.subject ?? (document.header.persons === 'moved' ? movedTo(document.root, named) : undefined);
  const identity = subject === undefined ? named : { ...named, subject };
  const facts = factsOf(input.country, document, set.conceptMaps);
  if (document.takeOver === undefined) return run(document.root, set, identity, facts);
  if (input.judge === undefined) throw new PortolanError('ingest.format-unknown', 'document', 'nothing here judges FHIR');
  return document.takeOver({ set, identity, facts, judge: input.judge });
}

/** Whether the resource tells of the message and not of the record. */
const isBeside = (draft: RunResult['drafts'][number]): boolean => draft.instance.rule.rule.beside === true;

/** Whether it is a Patient beside that of the document's person. */
const isOther = ({ resource, instance }: RunResult['drafts'][number]): boolean =>
  resource.resourceType === 'Patient' && instance.rule.rule.subject !== true;

/** Whether it is a Patient whose record goes on under another one. */
function isReplaced(draft: RunResult['drafts'][number]): boolean {
  const { link } = draft.resource;
  if (!isOther(draft) || !Array.isArray(link)) return false;
  return link.some((one) => isFhirObject(one) && one['type'] === 'replaced-by');
}

function chosenFormat({ bytes, format, country }: TranslationInput): Format {
  const name = format === 'auto' ? detectFormat(bytes, country.extracts) : format;
  const found = name === undefined ? undefined : formatNamed(name);
  const { extracts = [] } = country;
  if (found === undefined)
    throw new PortolanError('ingest.format-unknown', 'document', extracts.length === 0 ? undefined : unlikeExtracts(bytes, extracts));
  return found;
}

function identityOf({ sha256, country, subject, organisation }: TranslationInput, { header }: SourceDocument): Parameters<typeof run>[2] {
  const whose = subject !== undefined && { subject };
  return { sha256, country: country.country, organisation: organisation ?? header.sender.organisation, documentId: header.id, ...whose };
}

function timesOf(country: CountryPack, { header }: SourceDocument): SaidTimes {
  const zones = { documentOffset: header.offset, assumedZone: assumedZone(country) };
  const span = (text: string | undefined): TimeSpan | undefined => (text === undefined ? undefined : compactSpan(text, zones));
  const [sent, recorded] = [span(header.sent), span(header.recorded)];
  return { ...(sent !== undefined && { sent }), ...(recorded !== undefined && { recorded }) };
}

const assumedZone = ({ zone }: CountryPack): string | undefined => (zone?.assume === true ? zone.name : undefined);

function factsOf(
  country: CountryPack,
  { header }: SourceDocument,
  conceptMaps: Parameters<typeof run>[3]['conceptMaps'],
): Parameters<typeof run>[3] {
  return {
    conceptMaps,
    codingSystems: country.codingSystems,
    assigningAuthorities: country.assigningAuthorities,
    documentOffset: header.offset,
    assumedZone: assumedZone(country),
  };
}

/** What the document as a whole lacks: a type that is read, any resource at all, a person whom it is about. */
function documentRejects({ root, header, problems = [] }: SourceDocument, { drafts, rejects }: RunResult): Reject[] {
  const whole = (code: Reject['code']): Reject => ({ code, path: root.path, rule: '(document)', severity: 'document' });
  const isWhole = ({ severity }: Reject): boolean => severity === 'document';
  const refused = problems.some(isWhole);
  const told = refused || rejects.some(isWhole);
  const person = drafts.some((draft) => draft.instance.rule.rule.subject === true);
  return [
    ...problems,
    ...(header.supported || refused ? [] : [whole('ingest.type-unsupported')]),
    ...(drafts.length === 0 && !told ? [whole('translate.nothing-mapped')] : []),
    ...(drafts.length > 0 && !person && !told ? [whole('translate.value-missing')] : []),
  ];
}
