import type { CsvExtract, FormatName } from '@portolan/contracts';
import type { ClosedSystems } from './closed-systems.js';
import type { Conversion } from './conversion.js';
import type { Reject } from './run.js';
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
  /** Offset declared for times without one, as `+02:00`. */
  readonly offset?: string;
  /** When the sender made the message or document, as it wrote it (HL7 v2 MSH-7, CDA effectiveTime). */
  readonly sent?: string;
  /** When what it tells of was entered at the sender, as it wrote it (HL7 v2 EVN-2). */
  readonly recorded?: string;
}

/** A document read into a tree. */
export interface SourceDocument {
  readonly root: SourceNode;
  readonly header: SourceHeader;
  /** Places that could not be read and were carried as they are. */
  readonly problems?: readonly Reject[];
}

/** Largest inputs that a reader takes. */
export interface ReadLimits {
  readonly maxBytes: number;
  /** What the country declares of its CSV files. */
  readonly extracts?: readonly CsvExtract[];
  /** For a format whose documents bear no id: it is made of the bytes. */
  readonly sha256?: Sha256Hex;
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
