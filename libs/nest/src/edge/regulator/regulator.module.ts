import { Module } from '@nestjs/common';
import { RegulatorController } from './regulator.controller.js';
import { RegulatorQueries } from './regulator-queries.js';

/** What a regulator asks of any country's node. */
@Module({ controllers: [RegulatorController], providers: [RegulatorQueries] })
export class RegulatorModule {}
