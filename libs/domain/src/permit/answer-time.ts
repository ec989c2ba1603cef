/** What deciding and sealing have after the last source was heard, and what a source has at the least; less where the policy is quick. */
const DECIDING_MS = 400;
const LEAST_HEARD_MS = 500;

/** When an answer leaves, and until when sources of records are heard before it is decided; epoch milliseconds. */
export interface AnswerTime {
  readonly leaves: number;
  readonly heardUntil: number;
}

/**
 * An answer leaves at the policy's time after its request came, or, where the request waited too long for that, at the first whole multiple of it that leaves
 * sources time to be heard. It depends on when the request came and when deciding began, and on nothing that is found out meanwhile: whoever is
 * known, and whose source is slow, is answered when a stranger is (design, invariant 8).
 */
export function answerTime(receivedAt: number, begun: number, negativeAnswerMs: number): AnswerTime {
  const third = Math.floor(negativeAnswerMs / 3);
  const deciding = Math.min(DECIDING_MS, third);
  const needed = deciding + Math.min(LEAST_HEARD_MS, third);
  const multiple = Math.max(1, Math.ceil((begun + needed - receivedAt) / negativeAnswerMs));
  const leaves = receivedAt + multiple * negativeAnswerMs;
  return { leaves, heardUntil: leaves - deciding };
}
