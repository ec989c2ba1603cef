import type { Instant } from '@portolan/contracts';
import { ackVerdict, type IngestProblem, type ReadHead } from '@portolan/domain';
import { buildAck, encodeCharset, headerVerdict, isEnhanced, isWanted, type AckVerdict } from '@portolan/formats';

/** When and under which control id an acknowledgement is sent. */
export interface AckSender {
  now(): Instant;
  /** MSH-10 of an acknowledgement, at most 20 characters (HL7 v2.5.1 §2.15.9.10). */
  controlId(): string;
}

type Level = 'commit' | 'application';

/**
 * The acknowledgements that the sender of a message wants, in the message's own character set: one in original mode; in enhanced mode
 * (MSH-15, MSH-16) the accept acknowledgement, the application acknowledgement, both or none (HL7 v2.8 §2.9.3).
 */
export function acknowledgements(head: ReadHead, problems: readonly IngestProblem[], sender: AckSender): Uint8Array[] {
  const verdict = ackVerdict({ problems });
  const levels: readonly [Level, AckVerdict][] = [
    ['commit', commitVerdict(head, verdict)],
    ['application', verdict],
  ];
  return levels.filter(([level, one]) => isWanted(head.hl7, one, level)).map(([level, one]) => acknowledgement(head, one, sender, level));
}

/** The application acknowledgement, wanted or not: the answer to a call over HTTP. */
export function acknowledgement(head: ReadHead, verdict: AckVerdict, sender: AckSender, level: Level = 'application'): Uint8Array {
  const text = buildAck({ message: head.hl7, verdict, now: sender.now(), controlId: sender.controlId(), level });
  return encodeCharset(text, head.hl7?.charset ?? '');
}

/**
 * Nothing was stored, so the sender must keep the message: AE, and CE to a sender that waits for the accept acknowledgement, whatever
 * it asked for otherwise.
 */
export function notTakenOver(head: ReadHead, problem: IngestProblem, sender: AckSender): Uint8Array {
  const level = head.hl7 !== undefined && isEnhanced(head.hl7) ? 'commit' : 'application';
  return acknowledgement(head, ackVerdict({ problems: [problem] }), sender, level);
}

/** What is safely kept is accepted at commit level, also as a reject: somebody here repairs it. Only a header that is not ours is not. */
function commitVerdict(head: ReadHead, verdict: AckVerdict): AckVerdict {
  const unread = head.hl7 === undefined ? verdict : headerVerdict(head.hl7);
  return unread ?? { outcome: 'accept', errors: [] };
}
