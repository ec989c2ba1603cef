import type { CsvExtract, FormatName } from '@portolan/contracts';
import type { ClosedSystems } from './closed-systems.js';
import type { Conversion } from './conversion.js';
import type { Facts } from './build.js';
import type { FhirResource } from './fhir.js';
import type { IdentityContext } from './instances.js';
import type { MapSet } from './map-set.js';
import type { Reject, RunResult } from './run.js';
import type { SourceNode } from './source-node.js';
import type { Sha256Hex } from './stable-id.js';

/** What the envelope of a document says about itself. */
export interface SourceHeader {
  /** The sender's own id of the message or document. */
  readonly id: string;
  /** `ADT^A01`, a document's LOINC code, … */
  readonly type: string;
  /** HL7 table 0103: production, training, debugging. A document without such a mark is production. */
  readonly processing: 'P' | 'T' | 'D';
  readonly sender: {
    /** What identifies the sending organisation in its country; part of every id. */
    readonly organisation: string;
    readonly name?: string;
    readonly application?: string;
  };
  /** Whether this format's maps are meant for this type. Another type is translated as far as rules fit. */
  readonly supported: boolean;
  /**
   * The document says of its Patients that they are one person whose records stay apart (HL7 v2 A24), takes that back (A37), says that what
   * was kept under the one identifier was another's until now (A43), or that a stay was (A45).
   */
  readonly persons?: 'linked' | 'parted' | 'moved' | 'stay-moved';
  /** Offset declared for times without one, as `+02:00`. */
  readonly offset?: string;
  /** When the sender made the message or document, as it wrote it (HL7 v2 MSH-7, CDA effectiveTime). */
  readonly sent?: string;
  /** When what it tells of was entered at the sender, as it wrote it (HL7 v2 EVN-2). */
  readonly recorded?: string;
  /** Who made the document, as far as it says: authors and custodian of a FHIR document. */
  readonly authors?: readonly SourceAuthor[];
}

/** Somebody who made a document: by name, by an identifier, or both. */
export interface SourceAuthor {
  readonly name?: string;
  readonly identifier?: { readonly system: string; readonly value: string };
}

/**
 * Judges a FHIR R4 resource by HL7's definitions: the places that are wrong, such as `Observation.status`; none where it is right. Injected,
 * because the definitions are files and a pure library has none.
 */
export type FhirJudge = (resource: FhirResource) => readonly string[];

/** What a document that is FHIR already is taken over with. */
export interface TakeOver {
  readonly set: MapSet;
  readonly identity: IdentityContext;
  readonly facts: Facts;
  readonly judge: FhirJudge;
}

/** A document read into a tree. */
export interface SourceDocument {
  readonly root: SourceNode;
  readonly header: SourceHeader;
  /** Places that could not be read and were carried as they are. */
  readonly problems?: readonly Reject[];
  /** Of a document that is FHIR already: takes its resources over, in place of the engine that builds them by element rules. */
  readonly takeOver?: (job: TakeOver) => RunResult;
}

/** Largest inputs that a reader takes. */
export interface ReadLimits {
  readonly maxBytes: number;
  /** What the country declares of its CSV files. */
  readonly extracts?: readonly CsvExtract[];
  /** For a format whose documents bear no id: it is made of the bytes. */
  readonly sha256?: Sha256Hex;
  /** The authenticated sender, for a format whose documents need not say where they come from. */
  readonly source?: string;
}

/** A source format: everything that the engine needs of it. One folder of this library each. */
export interface Format {
  readonly name: FormatName;
  /** Whether the bytes look like this format; looks at the beginning only, never throws. */
  detect(bytes: Uint8Array, extracts?: readonly CsvExtract[]): boolean;
  /** Reads bytes into a tree, or throws PortolanError (ingest.*) where they cannot be read at all. */
  read(bytes: Uint8Array, limits: ReadLimits): SourceDocument;
  /** The format's own maps and FHIR ConceptMaps, as JSON, by file name. */
  readonly maps: Readonly<Record<string, unknown>>;
  readonly conceptMaps: Readonly<Record<string, unknown>>;
  /** Code systems of the format whose codes are all known. */
  readonly closedSystems?: ClosedSystems;
  /** Conversions that only this format has, by name. */
  readonly conversions: Readonly<Record<string, Conversion>>;
}
