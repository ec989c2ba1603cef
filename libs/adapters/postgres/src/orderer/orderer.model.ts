import type { SchemaModel } from '../connect/role-data-source.js';
import { OrdererTables1795226400006 } from './migrations/1795226400006-orderer-tables.js';
import { ordererEntities } from './orderer.entities.js';

export const ordererModel: SchemaModel = { schema: 'orderer', entities: ordererEntities, migrations: [OrdererTables1795226400006] };
