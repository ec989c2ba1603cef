import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { RoleController, RolePorts } from '../link/role.controller.js';
import { EdgeParts } from './edge.parts.js';

/** The edge's parts for all of its modules. */
@Module({})
class EdgePartsModule {
  static of(parts: EdgeParts): DynamicModule {
    return { module: EdgePartsModule, global: true, providers: [{ provide: EdgeParts, useValue: parts }], exports: [EdgeParts] };
  }
}

/** The edge: what faces systems and people of its own country. Each of its rooms is a module of its own. */
@Module({})
export class EdgeModule {
  static of(parts: EdgeParts, ports: RolePorts, rooms: NonNullable<ModuleMetadata['imports']>): DynamicModule {
    return {
      module: EdgeModule,
      imports: [EdgePartsModule.of(parts), ...rooms],
      controllers: [RoleController],
      providers: [{ provide: RolePorts, useValue: ports }],
    };
  }
}
