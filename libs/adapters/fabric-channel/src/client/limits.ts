/** Bounds of a call to the channel. Milliseconds unless said. */
export const limits = {
  /** A peer gives endorsing at most 30 s of its own (peer.gateway.endorsementTimeout). */
  endorseMs: 20_000,
  orderMs: 10_000,
  /** From handing a transaction to an orderer to its commit on our own peer. */
  commitMs: 15_000,
  evaluateMs: 5_000,
  /** A stream of blocks is opened anew after so long, whatever comes of it. */
  streamMs: 900_000,
  /** How often our own peer is asked how far it is; from its answer the notary knows that it still has the channel. */
  contactMs: 1_500,
  /** A transaction of ours that waits for its commit longer than this speaks against the channel being reachable. */
  stalledMs: 3_000,
  /** Tries of one `submit`, and the time after which none is begun; then its outcome is unknown, or its code is told. */
  tries: 5,
  submitMs: 10_000,
  inFlight: 64,
  waiting: 2_000,
  /** How long is waited at most before a peer that was away is connected to again; gRPC's own bound is two minutes. */
  reconnectMs: 2_000,
  /** Largest message to or from the peer: a block of transactions. Bytes. */
  messageBytes: 104_857_600,
} as const;
