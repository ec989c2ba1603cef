import type { SchemaModel } from '../connect/role-data-source.js';
import { roleEntities, UsedStatementEntity } from '../role/role.entities.js';
import { UsedStatements1795226400030 } from '../role/migrations/1795226400030-used-statements.js';
import { RoleTables1795226400000 } from '../role/migrations/1795226400000-role-tables.js';
import { AuditKinds1795226400034 } from '../role/migrations/1795226400034-audit-kinds.js';
import { Retention1795226400022 } from '../role/migrations/1795226400022-retention.js';
import { edgeEntities } from './edge.entities.js';
import { EdgeTables1795226400003 } from './migrations/1795226400003-edge-tables.js';
import { SearchValues1795226400004 } from './migrations/1795226400004-search-values.js';
import { ViewResourceIndex1795226400005 } from './migrations/1795226400005-view-resource-index.js';
import { StandingAge1795226400031 } from './migrations/1795226400031-standing-age.js';
import { PersonTraits1795226400035 } from './migrations/1795226400035-person-traits.js';
import { PersonMerges1795226400036 } from './migrations/1795226400036-person-merges.js';
import { ForeignEntries1795226400053 } from './migrations/1795226400053-foreign-entries.js';
import { MappingQuestions1795226400040 } from './migrations/1795226400040-mapping-questions.js';
import { Reconciliations1795226400050 } from './migrations/1795226400050-reconciliations.js';
import { StayMoves1795226400052 } from './migrations/1795226400052-stay-moves.js';
import { StaysLeft1795226400054 } from './migrations/1795226400054-stays-left.js';
import { WaitingProposals1795226400032 } from './migrations/1795226400032-waiting-proposals.js';
import { SearchValueEntity } from './search/search-value.entity.js';
import { stayEntities } from './stay.entities.js';
import { viewEntities } from './view.entities.js';

export const edgeModel: SchemaModel = {
  schema: 'edge',
  entities: [...roleEntities, UsedStatementEntity, ...edgeEntities, ...stayEntities, ...viewEntities, SearchValueEntity],
  migrations: [
    RoleTables1795226400000,
    EdgeTables1795226400003,
    SearchValues1795226400004,
    ViewResourceIndex1795226400005,
    UsedStatements1795226400030,
    StandingAge1795226400031,
    WaitingProposals1795226400032,
    Retention1795226400022,
    AuditKinds1795226400034,
    PersonTraits1795226400035,
    PersonMerges1795226400036,
    MappingQuestions1795226400040,
    Reconciliations1795226400050,
    StayMoves1795226400052,
    ForeignEntries1795226400053,
    StaysLeft1795226400054,
  ],
};
