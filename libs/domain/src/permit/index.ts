export * from './answer.js';
export * from './permit.decide.js';
export * from './permit.row.js';
export { consentCounts, hasReached, SELF_ROLE, wordBar, type Saying, type Speaker, type WordFacts } from './own-word.decide.js';
export { speakerFor, speakingActor } from './speaker.js';
