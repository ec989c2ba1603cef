export { findIn, isFromAbroad, linkageOf, pairId, proposedPairs, standingIn, type EntryPair, type Judge } from './pairs.js';
export { RECONCILED, saysTheSame, type Find } from './says-the-same.js';
export { shownOnce } from './shown-once.js';
