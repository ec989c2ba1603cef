import type { ErrorCode } from '@portolan/contracts';
import type { ConceptMap } from './concept-map.js';
import type { FhirValue } from './fhir.js';
import type { SourceNode } from './source-node.js';

/** What a conversion may know besides its source node. */
export interface ConversionContext {
  /** `map`, `system` and the like of the rule that asks. */
  readonly rule: { readonly map?: string; readonly system?: string };
  readonly conceptMaps: ReadonlyMap<string, ConceptMap>;
  /** Local names of coding systems and of assigning authorities → URI, from the country's folder. */
  readonly codingSystems: ReadonlyMap<string, string>;
  readonly assigningAuthorities: ReadonlyMap<string, string>;
  /** Offset that the document declares for its times (HL7 v2 MSH-7), as `+02:00`. */
  readonly documentOffset: string | undefined;
  /** IANA zone in which times without an offset are read, where the country's folder says so. */
  readonly assumedZone: string | undefined;
  /** Records something worth telling; never a value. */
  note(code: ErrorCode, at: SourceNode): void;
}

/** Which leaves a part of a converted value came from. */
export interface Origin {
  /** Path inside the converted value, '' for the value itself. */
  readonly path: string;
  readonly from: readonly SourceNode[];
  /** The value does not say all that the leaves say, so these are carried as well. */
  readonly partial?: boolean;
}

export type Converted =
  { readonly value: FhirValue; readonly origins: readonly Origin[] } | { readonly problem: ErrorCode; readonly at: SourceNode };

/**
 * Turns one source node into a FHIR value, pure. Undefined: nothing there. A problem: something there that the conversion
 * cannot express; its leaves are carried and the place is named in the account.
 */
export type Conversion = ((node: SourceNode, context: ConversionContext) => Converted | undefined) & {
  /**
   * Of a conversion of the node's own text: the value, where it says all that the text says and nothing is to be told of it, as mostly. Undefined
   * for anything else: then the conversion itself is asked.
   */
  readonly plain?: (text: string, context: ConversionContext) => FhirValue | undefined;
};
