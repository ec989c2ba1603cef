/** The numbers of a network on one small machine. Those of the channel are written into its first block. */
export const settings = {
  /** How far a client's clock may be from a peer's (design: two minutes; Fabric's own default is fifteen). */
  timeWindow: '2m',
  batch: {
    /**
     * How long the first transaction of a block waits for others. Notaries batch their steps themselves, so a block that waits gathers little
     * and costs a crossing its wait, four times.
     */
    timeout: '20ms',
    maxMessageCount: 200,
    absoluteMaxBytes: 8 * 1024 * 1024,
    preferredMaxBytes: 2 * 1024 * 1024,
  },
  /**
   * A leader that died is missed after its heartbeat's timeout, and a request that it swallowed after forwarding and complaining; Fabric's
   * defaults (1 min, 20 s) suit a network over seas. Shorter than this, two busy cores depose leaders that live. A change of leader that comes to nothing
   * is begun again after one, two, three … times `viewChangeTimeout` (SmartBFT, `viewchanger.go`): orderers that left each other's view, as
   * after a joining, need several, and with 8 s here a channel was seen to rest for minutes.
   */
  bft: {
    requestForwardTimeout: '2s',
    requestComplainTimeout: '5s',
    requestAutoRemoveTimeout: '1m',
    viewChangeResendInterval: '1s',
    viewChangeTimeout: '3s',
    leaderHeartbeatTimeout: '8s',
    leaderHeartbeatCount: 10,
    collectTimeout: '1s',
    incomingMessageBufferSize: 400,
    requestPoolSize: 10_000,
    /** An orderer that comes back asks what it missed before it votes: without, the next change of leader waits for it through several timeouts. */
    syncOnStart: true,
  },
  raft: { tickInterval: '250ms', electionTick: 10, heartbeatTick: 1, maxInflightBlocks: 5, snapshotIntervalSize: 16 * 1024 * 1024 },
  gossip: {
    /** A peer asks an anchor peer that is not up yet again after this; by default after 25 s, within which nobody waits for endorsers. */
    reconnectInterval: '1s',
    /** How long a committing peer waits for private data that it is no member of: with implicit collections it never comes. */
    pullRetryThreshold: '1s',
    aliveTimeInterval: '2s',
    aliveExpirationTimeout: '10s',
    publishStateInfoInterval: '1s',
    requestStateInfoInterval: '1s',
  },
  /** An orderer that withholds blocks is left for another after this. */
  blockCensorshipTimeout: '10s',
  chaincodeExecuteTimeout: '30s',
  readyWithinMs: 90_000,
  /** A newcomer that has every block of this long ago has caught up. */
  levelWithinMs: 15_000,
  stopWithinMs: 15_000,
  commandWithinMs: 60_000,
  logMostBytes: 20_000_000,
} as const;

export const HOST = '127.0.0.1';
