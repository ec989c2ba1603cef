/**
 * Where a transfer stands in the exchange of each side. A state names what is done; the rows of transfer.pipeline.ts move a transfer
 * on by themselves, the signals below move it when something it waits for has happened.
 */
export const custodianStates = [
  'requested', // a sealed request came in
  'permitting', // a permit was decided; its anchor is awaited
  'permitted', // the permit stands on our own copy, or is late
  'assembled', // the record is made, minimised, and counted as released by an audit event
  'sealed', // signed, encrypted, hashed; the anchor of `released` is awaited
  'anchored', // `released` stands on our own copy, or is late and signed
  'sent', // handed to delivery; a final step is awaited
  'receipted', // the receiver's counter-receipt came in; its step is awaited on our own copy
  'expiring', // limit and grace have passed without one; the anchor of `expired` is awaited
  'answered', // final: an answer without a record left
  'closed', // final: `received` stands
  'refused', // final: the receiver refused, `refused` stands
  'expired', // final: `expired` stands
  'failed', // final: the channel refused a late release that had been sent; the notary alarms
] as const;

export const askerStates = [
  'asking', // the edge asks for a crossing
  'asked', // the sealed request left; the answer or the record is awaited
  'arrived', // all parts of a record are here, sealed
  'opened', // checked, decrypted, handed to the edge; the view is awaited
  'viewed', // the edge keeps the view
  'receiving', // the anchor of `received` is awaited
  'refusing', // the anchor of `refused` is awaited
  'stepped', // our final step stands
  'done', // final: counter-receipt is on its way
  'matched', // final: a certain match was answered
  'none', // final: the one negative answer
  'failed', // final: could not be asked, or nobody answered in time
] as const;

export type CustodianState = (typeof custodianStates)[number];
export type AskerState = (typeof askerStates)[number];
export type TransferState = CustodianState | AskerState;

/** States in which nothing more will happen to a transfer. */
export const finalStates: ReadonlySet<TransferState> = new Set([
  'answered',
  'closed',
  'refused',
  'expired',
  'done',
  'matched',
  'none',
  'failed',
]);

/** Something a waiting transfer waited for. */
export interface Signal {
  readonly name: string;
  readonly from: TransferState;
  readonly to: TransferState;
}

export const signals = {
  permitAnchored: { name: 'permit.anchored', from: 'permitting', to: 'permitted' },
  releaseAnchored: { name: 'step.released', from: 'sealed', to: 'anchored' },
  receiptArrived: { name: 'counter-receipt', from: 'sent', to: 'receipted' },
  expiryOvertaken: { name: 'step.expired overtaken', from: 'expiring', to: 'sent' },
  expiryOvertakenByReceipt: { name: 'step.expired overtaken, counter-receipt here', from: 'expiring', to: 'receipted' },
  expiryAnchored: { name: 'step.expired', from: 'expiring', to: 'expired' },
  recordArrived: { name: 'record', from: 'asked', to: 'arrived' },
  answeredNone: { name: 'answer.none', from: 'asked', to: 'none' },
  answeredMatch: { name: 'answer.certain-match', from: 'asked', to: 'matched' },
  viewStored: { name: 'view.stored', from: 'opened', to: 'viewed' },
  receivedAnchored: { name: 'step.received', from: 'receiving', to: 'stepped' },
  refusedAnchored: { name: 'step.refused', from: 'refusing', to: 'stepped' },
} as const satisfies Record<string, Signal>;
