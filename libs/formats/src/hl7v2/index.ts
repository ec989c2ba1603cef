import { SourceNode, type Format, type Reject } from '../engine/index.js';
import { decodeHead } from '../bytes/charset.js';
import { hl7v2CodeMaps } from './code-maps/index.js';
import { hl7v2Conversions } from './conversions.js';
import { headerProblem, readHeader, sourceHeader, structureOf } from './header.js';
import { hl7v2Maps } from './maps/index.js';
import { readHl7, type Hl7Message } from './message.js';
import { scheduleConversions } from './schedule-conversions.js';
import { compileStructure, groupSegments, type Structure } from './structure.js';
import structures from './structures/structures.json' with { type: 'json' };
import { hl7v2Tables } from './tables.js';
import { isSegment, segmentNodes } from './tree.js';

const compiled: ReadonlyMap<string, Structure> = new Map(
  Object.entries(structures.structures).map(([name, text]) => [name, compileStructure(name, text)]),
);

/** The message's segments in the groups of its structure; a message of an unknown structure stays flat. */
export function messageTree(message: Hl7Message): SourceNode {
  const name = structureOf(readHeader(message));
  const structure = name === undefined ? undefined : compiled.get(name);
  const segments = segmentNodes(message);
  return structure === undefined ? SourceNode.branch('message', 'message', segments) : groupSegments(structure, segments);
}

/** What a header says that is not taken, wherever the message comes from: the node refuses the same, in the same words. */
function headerProblems(message: Hl7Message): Reject[] {
  const problem = headerProblem(readHeader(message));
  return problem === undefined ? [] : [{ ...problem, rule: '(header)', severity: 'document' }];
}

/** Lines that are no segment, as after a bare line break inside a text: the document cannot be trusted as it stands. */
function lineProblems(message: Hl7Message): Reject[] {
  return message.segments.flatMap((segment, i) =>
    isSegment(segment) || segment.parts.join('').trim() === ''
      ? []
      : [{ code: 'ingest.malformed', path: `line[${i + 1}]`, rule: '(segments)', severity: 'document' }],
  );
}

/** HL7 v2 in its ER7 encoding, versions 2.3 to 2.8. */
export const hl7v2: Format = {
  name: 'hl7v2',
  detect: (bytes) => decodeHead(bytes.subarray(0, 16)).startsWith('MSH'),
  read: (bytes, { maxBytes }) => {
    const message = readHl7(bytes, { maxBytes, terminators: 'any' });
    return { root: messageTree(message), header: sourceHeader(message), problems: [...headerProblems(message), ...lineProblems(message)] };
  },
  maps: hl7v2Maps,
  conceptMaps: hl7v2CodeMaps,
  closedSystems: hl7v2Tables,
  conversions: { ...hl7v2Conversions, ...scheduleConversions },
};

export { BatchReader, isBatch, readBatch, type BatchItem, type BatchLimits } from './batch.js';
export { decodeHead, encodeCharset } from '../bytes/charset.js';
export { escapeOriginal, escapeText, unescapeText } from './escapes.js';
export { headerProblem, readHeader, type HeaderProblem, type Hl7Header } from './header.js';
export { parseHl7, readHl7, serialiseHl7, type Hl7Message, type Hl7ReadOptions, type Hl7Segment } from './message.js';
export { recommendedSeparators, type Separators } from './separators.js';
export {
  buildAck,
  controlIdOf,
  headerVerdict,
  informationOf,
  isEnhanced,
  isWanted,
  unreadableVerdict,
  verdictOf,
  type AckError,
  type AckInput,
  type AckVerdict,
} from './ack.js';
export { MllpDecoder, mllpFrame } from './mllp.js';
export { personParts } from './swap-parts.js';
