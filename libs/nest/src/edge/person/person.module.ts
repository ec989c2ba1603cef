import { Module } from '@nestjs/common';
import { Reconciliations } from '../reconciliation/reconciliations.js';
import { ReconciliationsController } from '../reconciliation/reconciliations.controller.js';
import { CustodianController } from './custodian.controller.js';
import { Custody } from './custody.js';
import { Disputes } from './disputes.js';
import { ErasureController } from './erasure.controller.js';
import { FeedStreams } from './feed-streams.js';
import { GroundsController } from './grounds.controller.js';
import { PersonAccess } from './herself.js';
import { PersonGrounds } from './person-grounds.js';
import { PersonController } from './person.controller.js';
import { Proposals } from './proposals.js';
import { RecordExport } from './record-export.js';

/** What a person reads, permits, forbids, disputes and takes along; how a change to her entry is answered, and which entries say the same; how she is erased. */
@Module({
  controllers: [PersonController, GroundsController, CustodianController, ReconciliationsController, ErasureController],
  providers: [PersonAccess, FeedStreams, PersonGrounds, Proposals, Disputes, Custody, Reconciliations, RecordExport],
})
export class PersonModule {}
