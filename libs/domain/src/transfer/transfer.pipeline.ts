import { closeRow, expireRow } from '../close/close.row.js';
import { sendRow } from '../exchange/send.row.js';
import { permitRow } from '../permit/permit.row.js';
import { openRow } from '../receive/open.row.js';
import { acknowledgeRow, receiptRow } from '../receive/receipt.row.js';
import { releaseRow } from '../release/release.row.js';
import { askRow, giveUpRow } from '../request/request.row.js';
import { sealRow } from '../seal/seal.row.js';
import type { ExchangeTx } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from './exchange.ports.js';
import type { Row } from './row.js';

/**
 * The flow of a transfer on one page (design, section 4). Each row runs in the exchange of the side named, in one transaction; between
 * rows a transfer waits for a signal (transfer.states.ts) that a role or the partner brings:
 *
 *   asker                                   custodian
 *   ask         asking    → asked     ──▶   permit      requested → permitting        (or answered: match, or the one negative answer)
 *                                             … the notary anchors the permit          signal permitAnchored
 *                                           release     permitted → assembled
 *                                           seal        assembled → sealed
 *                                             … the notary anchors `released`          signal releaseAnchored
 *   open        arrived   → opened    ◀──   send        anchored  → sent
 *     … the edge keeps the view              signal viewStored
 *   receipt     viewed    → receiving
 *     … the notary anchors `received`        signal receivedAnchored
 *   acknowledge stepped   → done      ──▶   close       receipted → closed
 *   give-up     asked     → failed          expire      sent      → expiring … expired
 *
 * In a declared emergency with the channel unreachable (design, invariant 1) the custodian's side goes requested → permitted → assembled
 * → anchored → sent without waiting: `seal` signs the late leaf, `send` adds that word to the record, `open` takes it for the step while
 * its own channel is down, too; permit, `released` and `received` stand in the notaries' queues and are anchored as late.
 */
export const exchangeRows: readonly Row<ExchangeTx, ExchangePorts, Transfer>[] = [
  askRow,
  permitRow,
  releaseRow,
  sealRow,
  sendRow,
  openRow,
  receiptRow,
  acknowledgeRow,
  closeRow,
  expireRow,
  giveUpRow,
];
