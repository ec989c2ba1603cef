import type { SchemaModel } from '../connect/role-data-source.js';
import { fabricEntities } from '../fabric/fabric.entities.js';
import { FabricIndex1795226400010 } from '../fabric/migrations/1795226400010-fabric-index.js';
import { ledgerEntities } from '../ledger/ledger.entities.js';
import { LedgerCopy1795226400005 } from '../ledger/migrations/1795226400005-ledger-copy.js';
import { roleEntities } from '../role/role.entities.js';
import { RoleTables1795226400000 } from '../role/migrations/1795226400000-role-tables.js';
import { AuditKinds1795226400034 } from '../role/migrations/1795226400034-audit-kinds.js';
import { Retention1795226400022 } from '../role/migrations/1795226400022-retention.js';
import { LateSteps1795226400007 } from './migrations/1795226400007-late-steps.js';
import { CountingSteps1795226400021 } from './migrations/1795226400021-counting-steps.js';
import { NotaryTables1795226400002 } from './migrations/1795226400002-notary-tables.js';
import { TrailByTime1795226400033 } from './migrations/1795226400033-trail-by-time.js';
import { BundledActs1795226400037 } from './migrations/1795226400037-bundled-acts.js';
import { notaryEntities } from './notary.entities.js';
import { trailEntities } from './trail.entities.js';

export const notaryModel: SchemaModel = {
  schema: 'notary',
  entities: [...roleEntities, ...notaryEntities, ...trailEntities, ...ledgerEntities, ...fabricEntities],
  migrations: [
    RoleTables1795226400000,
    NotaryTables1795226400002,
    LedgerCopy1795226400005,
    LateSteps1795226400007,
    FabricIndex1795226400010,
    CountingSteps1795226400021,
    Retention1795226400022,
    TrailByTime1795226400033,
    AuditKinds1795226400034,
    BundledActs1795226400037,
  ],
};
