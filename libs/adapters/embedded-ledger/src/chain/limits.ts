/** Bounds of the embedded ledger. A block is distributed whole, so its bytes are bounded as well as its count. */
export const limits = {
  /** Characters of one signed transaction. */
  transactionChars: 1_000_000,
  blockTransactions: 500,
  /** Characters of a block's transactions together; at least one always fits. */
  blockChars: 4_000_000,
  /** From the first waiting transaction to the cut. */
  cutAfterMs: 200,
  /** Transactions, and characters of them, that wait at the orderer before it answers that it is busy. */
  queueTransactions: 2_000,
  queueChars: 32_000_000,
  /** Longest that one request waits for something new. */
  waitMs: 25_000,
  /** A copy asks for blocks at least so often: from the answers, empty or not, it knows that it still has the channel. */
  contactMs: 2_000,
  /** Blocks, and about how many characters of them, in one answer. */
  answerBlocks: 50,
  answerChars: 8_000_000,
  answerAttestations: 500,
  /** Different statements on one block that one organisation may hand in: the second already is a divergence. */
  statementsPerBlock: 3,
} as const;
