import { canonicalJson, PortolanError, Validators } from '@portolan/contracts';
import type { CountryPack } from '../country-pack.js';
import type { FhirResource, MapMistake, Sha256Hex } from '../engine/index.js';
import { accountOf, type BackAccount } from './account.js';
import { Cell } from './cell.js';
import { compileBackMap, type CompiledBackMap } from './compile.js';
import { er7, type WrittenSegment } from './er7.js';
import { fhirTree, type FhirTree } from './fhir-tree.js';
import admission from './maps/admission.json' with { type: 'json' };
import laboratory from './maps/laboratory.json' with { type: 'json' };
import { namesOf } from './names.js';
import { restored, type BackOriginal } from './restore.js';
import { writeSegments } from './write.js';

/** The messages that FHIR can be written back as. */
export type BackMessage = 'ORU' | 'ADT';

/** What is written back, for whom, and what the message says of itself. */
export interface BackInput {
  readonly resources: readonly FhirResource[];
  /** `auto`: ORU where there is a report with results, else ADT. */
  readonly message: BackMessage | 'auto';
  /** The country that reads the message: its names of code systems and of those who assign identifiers. */
  readonly country: CountryPack;
  readonly sha256: Sha256Hex;
  /** MSH-3 and MSH-4: the namespace, and the universal id as a URI where there is one. */
  readonly sender: { readonly application: string; readonly facility: string; readonly universalId?: string };
  /** MSH-5 and MSH-6. */
  readonly receiver?: { readonly application: string; readonly facility: string };
  /** MSH-7 as HL7 writes it, `20261121100000+0000`. */
  readonly sent: string;
  /** MSH-10, at most 20 characters (HL7 v2.5.1 §2.15.9.10). */
  readonly controlId: string;
  readonly processing: 'P' | 'T' | 'D';
  /** MSH-9.2, where the map's own choice is not wanted. */
  readonly event?: string;
  /** What the same resources left carried when they came as HL7 v2: it is put back where it stood. */
  readonly original?: BackOriginal;
}

/** A message, and what became of every value of the bundle. */
export interface BackTranslation {
  /** ER7 in UTF-8, each segment ended by CR. */
  readonly text: string;
  readonly type: string;
  /** SHA-256 of the map. */
  readonly mapVersion: string;
  readonly account: BackAccount;
}

/** The maps of the way back, checked; throws PortolanError `translate.map-invalid` that names file, rule and mistake. */
export class BackMaps {
  private constructor(private readonly maps: ReadonlyMap<string, CompiledBackMap>) {}

  static of(
    files: Readonly<Record<string, unknown>> = { 'admission.json': admission, 'laboratory.json': laboratory },
    validators = new Validators(),
  ): BackMaps {
    const mistakes: MapMistake[] = [];
    const maps = Object.entries(files).flatMap(([file, json]) => compileBackMap(`back/maps/${file}`, json, validators, mistakes) ?? []);
    const [first] = mistakes;
    if (first !== undefined) {
      const all = mistakes.slice(0, 20).map(({ file, rule, what }) => `${file} ${rule}: ${what}`);
      throw new PortolanError('translate.map-invalid', `${first.file} ${first.rule}`, all.join('; '));
    }
    return new BackMaps(new Map(maps.map((map) => [map.map.message.code, map])));
  }

  /**
   * Writes FHIR R4 resources as one HL7 v2 message. Pure: the same input gives the same bytes. Throws PortolanError `translate.back-unwritable`
   * where there is nobody whom the message could be about, no report for a report's message, or more than a message can hold.
   */
  write(input: BackInput): BackTranslation {
    const tree = fhirTree(input.resources);
    const map = this.maps.get(input.message === 'auto' ? messageFor(input.resources) : input.message);
    if (map === undefined) throw new PortolanError('translate.back-unwritable', 'message');
    const written = writeSegments(map, tree, namesOf(input.country), input.sent);
    if (written.lacking !== undefined) throw new PortolanError('translate.back-unwritable', written.lacking, 'there is nothing to write');
    if (written.tooLong) throw new PortolanError('translate.back-unwritable', 'message', 'more segments than a message may have');
    const type = typeOf(map, tree, input.event);
    const own = [header(input, type), ...written.segments];
    const { segments, lost } = input.original === undefined ? { segments: own, lost: [] } : restored(own, input.original);
    return {
      text: er7(segments),
      type: type.slice(0, 2).join('^'),
      mapVersion: input.sha256(new TextEncoder().encode(canonicalJson(map.map))),
      account: { ...accountOf(map.leave, tree, written.used), unrestored: lost },
    };
  }
}

function messageFor(resources: readonly FhirResource[]): BackMessage {
  return resources.some(({ resourceType }) => resourceType === 'DiagnosticReport') ? 'ORU' : 'ADT';
}

function typeOf({ map: { message }, events }: CompiledBackMap, { root }: FhirTree, wanted: string | undefined): string[] {
  const event = wanted ?? events.find(({ when }) => when?.(root) !== false)?.event ?? '';
  return [message.code, event, message.structure];
}

function header(input: BackInput, type: readonly string[]): WrittenSegment {
  const { sender, receiver, sent, controlId, processing } = input;
  const universal = sender.universalId === undefined ? [] : [sender.universalId, 'URI'];
  const fields: readonly (readonly [number, readonly string[]])[] = [
    [3, [sender.application]],
    [4, [sender.facility, ...universal]],
    [5, [receiver?.application ?? '']],
    [6, [receiver?.facility ?? '']],
    [7, [sent]],
    [9, type],
    [10, [controlId]],
    [11, [processing]],
    [12, ['2.5.1']],
    [18, ['UNICODE UTF-8']],
  ];
  return { name: 'MSH', fields: new Map(fields.map(([number, texts]) => [number, [cellOf(texts)]])) };
}

function cellOf(texts: readonly string[]): Cell {
  const cell = new Cell();
  for (const [i, text] of texts.entries()) cell.put([i + 1], Cell.of(text, []));
  return cell;
}

export { type BackAccount } from './account.js';
export { resourcesIn } from './bundle-resources.js';
export { BackDocuments, type BackDocument, type BackDocumentInput } from './document/index.js';
export type { BackOriginal } from './restore.js';
