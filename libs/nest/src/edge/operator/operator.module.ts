import { Module } from '@nestjs/common';
import { IngestModule } from '../ingest/index.js';
import { HealthService } from './health.service.js';
import { MappingsController } from './mappings.controller.js';
import { MergesController } from './merges.controller.js';
import { OperatorController } from './operator.controller.js';
import { RejectsService } from './rejects.service.js';
import { StaysController } from './stays.controller.js';

/** What the people who run the node may see and do. */
@Module({
  imports: [IngestModule],
  controllers: [OperatorController, MergesController, MappingsController, StaysController],
  providers: [RejectsService, HealthService],
})
export class OperatorModule {}
