import { Module } from '@nestjs/common';
import { AnsweredPack } from './answered-pack.js';
import { IngestController } from './ingest.controller.js';
import { IngestService } from './ingest.service.js';
import { RawBodies } from './raw-bodies.js';

/** Steps 1 to 3 of the flow: bytes in, records stored. Its MLLP side is `MllpServer`, started by composition with this service. */
@Module({ controllers: [IngestController], providers: [IngestService, AnsweredPack, RawBodies], exports: [IngestService, AnsweredPack] })
export class IngestModule {}
