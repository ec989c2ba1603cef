import { canonicalJson, PortolanError, Validators } from '@portolan/contracts';
import type { CountryPack } from '../../country-pack.js';
import type { FhirResource, MapMistake, Sha256Hex } from '../../engine/index.js';
import { accountOf, type BackAccount } from '../account.js';
import { fhirTree } from '../fhir-tree.js';
import summary from '../maps/summary.json' with { type: 'json' };
import type { BackOriginal } from '../restore.js';
import { compileDocumentMap, type CompiledDocumentMap } from './compile.js';
import { documentNames } from './names.js';
import { restoredDocument } from './restore.js';
import { writeDocument } from './write.js';
import { xmlOf } from './xml.js';

/** What is written back as a document, for whom, and what the document says of itself where the resources do not. */
export interface BackDocumentInput {
  readonly resources: readonly FhirResource[];
  /** The country that reads the document: its object identifiers of code systems and of those who assign identifiers. */
  readonly country: CountryPack;
  readonly sha256: Sha256Hex;
  /** A FHIR dateTime. */
  readonly made: string;
  /** A UUID. */
  readonly documentId: string;
  /** BCP 47. */
  readonly language: string;
  /** Who keeps it: an object identifier or UUID, and a name. */
  readonly custodian: { readonly root: string; readonly name: string };
  /** What the same resources left carried when they came as CDA: it is put back where it stood. */
  readonly original?: BackOriginal;
}

/** A document, and what became of every value of the bundle. */
export interface BackDocument {
  /** XML 1.0 in UTF-8. */
  readonly text: string;
  /** SHA-256 of the map. */
  readonly mapVersion: string;
  readonly account: BackAccount;
}

/** The map of the way back to CDA, checked; throws PortolanError `translate.map-invalid` that names file, rule and mistake. */
export class BackDocuments {
  private constructor(private readonly map: CompiledDocumentMap) {}

  static of(json: unknown = summary, validators = new Validators()): BackDocuments {
    const mistakes: MapMistake[] = [];
    const map = compileDocumentMap('back/maps/summary.json', json, validators, mistakes);
    const [first] = mistakes;
    if (map === undefined || first !== undefined) {
      const all = mistakes.slice(0, 20).map(({ file, rule, what }) => `${file} ${rule}: ${what}`);
      throw new PortolanError('translate.map-invalid', `${first?.file ?? ''} ${first?.rule ?? ''}`, all.join('; '));
    }
    return new BackDocuments(map);
  }

  /**
   * Writes FHIR R4 resources as one CDA R2 patient summary. Pure: the same input gives the same bytes. Throws PortolanError `translate.back-unwritable`
   * where there is nobody whom the document could be about, or more than a document can hold.
   */
  write(input: BackDocumentInput): BackDocument {
    const { sha256, made, documentId, language, custodian, original } = input;
    const tree = fhirTree(input.resources);
    const context = { names: documentNames(input.country), sha256, made, documentId, language, custodian, software: 'Portolan' };
    const written = writeDocument(this.map, 'ClinicalDocument', tree, context);
    if (written.lacking !== undefined) throw new PortolanError('translate.back-unwritable', written.lacking, 'there is nothing to write');
    if (written.tooLong) throw new PortolanError('translate.back-unwritable', 'document', 'more elements than a document may have');
    const unrestored = original === undefined ? [] : restoredDocument(written.root, original);
    return {
      text: xmlOf(written.root),
      mapVersion: sha256(new TextEncoder().encode(canonicalJson(this.map.map))),
      account: { ...accountOf(this.map.leave, tree, written.used), unrestored },
    };
  }
}
