export { AnsweredPack, conceptMapsOf } from './answered-pack.js';
export { IngestModule } from './ingest.module.js';
export { IngestService, NotRepaired, type IngestInput, type Repair } from './ingest.service.js';
export { defaultMllpLimits, MllpServer, type MllpServerLimits } from './mllp-server.js';
