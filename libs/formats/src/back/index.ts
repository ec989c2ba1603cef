import { canonicalJson, PortolanError, Validators, type BackMap, type CharsetOut } from '@portolan/contracts';
import { encodeExactly } from '../bytes/charset.js';
import type { CountryPack } from '../country-pack.js';
import type { FhirResource, MapMistake, Sha256Hex, SourceNode } from '../engine/index.js';
import { accountOf, type BackAccount } from './account.js';
import { Cell } from './cell.js';
import { compileBackMap, type CompiledBackMap } from './compile.js';
import { er7, type WrittenSegment } from './er7.js';
import { fhirTree } from './fhir-tree.js';
import admission from './maps/admission.json' with { type: 'json' };
import datatypes from './maps/datatypes.json' with { type: 'json' };
import laboratory from './maps/laboratory.json' with { type: 'json' };
import person from './maps/person.json' with { type: 'json' };
import vaccinations from './maps/vaccinations.json' with { type: 'json' };
import { namesOf } from './names.js';
import { restored, type BackOriginal } from './restore.js';
import { MAX_SEGMENTS, writeSegments, type WriteContext, type WrittenMessage } from './write.js';

const UTF8 = 'UNICODE UTF-8';

/** The messages that FHIR can be written back as. */
export type BackMessage = 'ORU' | 'ADT' | 'VXU';

/** What is written back, for whom, and what the messages say of themselves. */
export interface BackInput {
  readonly resources: readonly FhirResource[];
  /** `all`: each message that says something that no other says. */
  readonly message: BackMessage | 'all';
  /** The country that reads the message: its names of code systems and of those who assign identifiers. */
  readonly country: CountryPack;
  readonly sha256: Sha256Hex;
  /** MSH-3 and MSH-4: the namespace, and the universal id as a URI where there is one. */
  readonly sender: { readonly application: string; readonly facility: string; readonly universalId?: string };
  /** MSH-5 and MSH-6. */
  readonly receiver?: { readonly application: string; readonly facility: string };
  /** MSH-7 as HL7 writes it, `20261121100000+0000`. */
  readonly sent: string;
  /** MSH-10 of the message of this number, from 1: at most 20 characters (HL7 v2.5.1 §2.15.9.10), no two alike. */
  readonly controlId: (number: number) => string;
  readonly processing: 'P' | 'T' | 'D';
  /** MSH-18, and what the bytes are in: the reading system's; UTF-8 where it says none. */
  readonly charset?: CharsetOut;
  /**
   * MSH-9.2 of the message that the resources came as, where it goes again to who sent it. Without it no message speaks of a visit: a hospital
   * that reads of a stay in another house must not take it for an admission of its own.
   */
  readonly event?: string;
  /** What the same resources left carried when they came as one HL7 v2 message: it is put back where it stood, in the first message. */
  readonly original?: BackOriginal;
}

/** The messages, and what became of every value of the bundle. */
export interface BackTranslation {
  /** ER7, each segment ended by CR; messages one after another, as a batch without BHS has them (HL7 v2.5.1 §2.10.3.1). */
  readonly text: string;
  /** The text in the character set that each MSH-18 names. */
  readonly bytes: Uint8Array;
  /** Of each message, `ADT^A31`. */
  readonly types: readonly string[];
  /** SHA-256 of the maps. */
  readonly mapVersion: string;
  readonly account: BackAccount;
}

interface Message {
  readonly type: readonly string[];
  readonly written: WrittenMessage;
}

const SHIPPED: Readonly<Record<string, object>> = {
  'person.json': person,
  'admission.json': admission,
  'laboratory.json': laboratory,
  'vaccinations.json': vaccinations,
};

/** The maps of the way back, checked; throws PortolanError `translate.map-invalid` that names file, rule and mistake. */
export class BackMaps {
  private constructor(private readonly maps: readonly CompiledBackMap[]) {}

  /** In the order in which their messages are written. */
  static of(files: Readonly<Record<string, object>> = SHIPPED, validators = new Validators()): BackMaps {
    const mistakes: MapMistake[] = [];
    const maps = Object.entries(files).flatMap(([file, json]) => {
      const whole = { ...json, types: { ...datatypes.types, ...('types' in json && (json.types as object)) } };
      return compileBackMap(`back/maps/${file}`, whole, validators, mistakes) ?? [];
    });
    const [first] = mistakes;
    if (first !== undefined) {
      const all = mistakes.slice(0, 20).map(({ file, rule, what }) => `${file} ${rule}: ${what}`);
      throw new PortolanError('translate.map-invalid', `${first.file} ${first.rule}`, all.join('; '));
    }
    return new BackMaps(maps);
  }

  /**
   * Writes FHIR R4 resources as HL7 v2 messages. Pure: the same input gives the same bytes. Throws PortolanError `translate.back-unwritable`
   * where there is nobody whom a message could be about, no report for a report's message, or more than a message can hold, and
   * `translate.charset-lacking` where the character set has no byte for a sign.
   */
  write(input: BackInput): BackTranslation {
    const tree = fhirTree(input.resources);
    const context = { tree, names: namesOf(input.country), sent: input.sent, ownVisit: input.event !== undefined };
    const maps = this.maps.filter(({ map: { message } }) => isWanted(message, input));
    const messages = telling(maps.flatMap((map) => messagesOf(map, context, input.event)));
    const parts = messages.map(({ type, written }, i) => {
      const segments = [header(input, type, i + 1), ...written.segments];
      return i === 0 && input.original !== undefined ? restored(segments, input.original) : { segments, lost: [] };
    });
    const used = new Map(messages.flatMap(({ written }) => [...written.used]));
    const text = parts.map(({ segments }) => er7(segments)).join('');
    return {
      text,
      bytes: encoded(text, input.charset ?? UTF8),
      types: messages.map(({ type }) => type.slice(0, 2).join('^')),
      mapVersion: input.sha256(new TextEncoder().encode(canonicalJson(maps.map(({ map }) => map)))),
      account: {
        ...accountOf(
          maps.flatMap(({ leave }) => leave),
          tree,
          used,
        ),
        unrestored: parts.flatMap(({ lost }) => lost),
      },
    };
  }
}

function isWanted({ code, ownVisit, events }: BackMap['message'], { message, event }: BackInput): boolean {
  if (message !== 'all' && code !== message) return false;
  return event === undefined ? ownVisit !== true : events.some((one) => one.event === event);
}

/** The messages of a map; with nothing but what is lacking where the map demands what is not there. */
function messagesOf(map: CompiledBackMap, context: WriteContext, event: string | undefined): Message[] {
  const { root } = context.tree;
  const nodes = map.each === undefined ? [root] : map.each.flatMap((path) => path(root, context.tree));
  return nodes.map((node) => ({ type: typeOf(map, event), written: writeSegments(map, node, context) }));
}

/** Of those that are whole, the ones that say something that no other of them says. */
function telling(messages: readonly Message[]): Message[] {
  const whole = messages.filter(({ written }) => written.lacking === undefined);
  const times = new Map<SourceNode, number>();
  const count = ({ written }: Message, by: 1 | -1): void => {
    for (const leaf of written.used.keys()) times.set(leaf, (times.get(leaf) ?? 0) + by);
  };
  for (const message of whole) count(message, 1);
  const told = whole.filter((message) => {
    const isNeeded = [...message.written.used.keys()].some((leaf) => times.get(leaf) === 1);
    if (!isNeeded) count(message, -1);
    return isNeeded;
  });
  const lacking = messages.find(({ written }) => written.lacking !== undefined)?.written.lacking ?? 'message';
  if (told.length === 0) throw new PortolanError('translate.back-unwritable', lacking, 'there is nothing to write');
  if (told.reduce((sum, { written }) => sum + written.segments.length, 0) >= MAX_SEGMENTS)
    throw new PortolanError('translate.back-unwritable', 'message', 'more segments than a message may have');
  return told;
}

function typeOf({ map: { message }, events }: CompiledBackMap, wanted: string | undefined): string[] {
  const chosen = events.find(({ event }) => wanted === undefined || event === wanted);
  return [message.code, chosen?.event ?? '', chosen?.structure ?? message.structure];
}

/** The escapes of HL7 v2.5.1 §2.7.2 for further sets (`\C..\`, `\M..\`) need a reader that was told of them in MSH-18: what the one set lacks is refused, and never replaced. */
function encoded(text: string, charset: CharsetOut): Uint8Array {
  const bytes = encodeExactly(text, charset);
  if (typeof bytes !== 'number') return bytes;
  const segment = text.slice(text.lastIndexOf('\r', bytes) + 1, bytes);
  throw new PortolanError('translate.charset-lacking', `${segment.slice(0, 3)}-${segment.split('|').length - 1}`, charset);
}

function header(input: BackInput, type: readonly string[], number: number): WrittenSegment {
  const { sender, receiver, sent, controlId, processing, charset = UTF8 } = input;
  const universal = sender.universalId === undefined ? [] : [sender.universalId, 'URI'];
  const fields: readonly (readonly [number, readonly string[]])[] = [
    [3, [sender.application]],
    [4, [sender.facility, ...universal]],
    [5, [receiver?.application ?? '']],
    [6, [receiver?.facility ?? '']],
    [7, [sent]],
    [9, type],
    [10, [controlId(number)]],
    [11, [processing]],
    [12, ['2.5.1']],
    [18, [charset]],
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
