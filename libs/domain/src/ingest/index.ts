export { isAssignedElsewhere, isAssignedHere, type Assigner } from './assigned-elsewhere.js';
export { agesOf, isOlder, standingAge, type Age, type StandingAge } from './age.js';
export { filingOf, filingsOf, refiled, sourcePlace, type Filing } from './filing.js';
export { joinedPatient, keptJoined, partedPatient } from './joins.js';
export {
  decideMerge,
  identify,
  knownPerson,
  MAX_IDENTIFIERS,
  sameIdentifier,
  samePerson,
  type Identified,
  type Joined,
} from './identify.decide.js';
export { ackVerdict, earlierAnswer, type IngestAnswer, type LateContent, type MessageAccount, type MovedEntry } from './ingest-answer.js';
export { decideStayMove, renamed, restedStay, type RecordEntry, type StayMove } from './moves.js';
export { goesWith, toldAgain } from './told-again.js';
export { FOREIGN_DOCUMENT_SYSTEM, MESSAGE_SYSTEM, messageProvenance, type MessageFacts } from './message-provenance.js';
export { readHead, readMessage, type IngestProblem, type ReadHead, type Reading, type ReadingInput } from './reading.js';
