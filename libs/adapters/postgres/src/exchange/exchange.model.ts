import type { SchemaModel } from '../connect/role-data-source.js';
import { roleEntities, UsedStatementEntity } from '../role/role.entities.js';
import { UsedStatements1795226400030 } from '../role/migrations/1795226400030-used-statements.js';
import { RoleTables1795226400000 } from '../role/migrations/1795226400000-role-tables.js';
import { AuditKinds1795226400034 } from '../role/migrations/1795226400034-audit-kinds.js';
import { Retention1795226400022 } from '../role/migrations/1795226400022-retention.js';
import { exchangeEntities } from './exchange.entities.js';
import { Emergencies1795226400006 } from './migrations/1795226400006-emergencies.js';
import { EnvelopesEnd1795226400023 } from './migrations/1795226400023-envelopes-end.js';
import { OutgoingQueue1795226400036 } from './migrations/1795226400036-outgoing-queue.js';
import { ExchangeTables1795226400001 } from './migrations/1795226400001-exchange-tables.js';

export const exchangeModel: SchemaModel = {
  schema: 'exchange',
  entities: [...roleEntities, UsedStatementEntity, ...exchangeEntities],
  migrations: [
    RoleTables1795226400000,
    ExchangeTables1795226400001,
    Emergencies1795226400006,
    UsedStatements1795226400030,
    Retention1795226400022,
    EnvelopesEnd1795226400023,
    AuditKinds1795226400034,
    OutgoingQueue1795226400036,
  ],
};
