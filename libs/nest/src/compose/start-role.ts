import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NodeConfig } from '@portolan/contracts';
import type { Role } from '@portolan/domain';
import { EventsController, EventsLog } from '../link/events.controller.js';
import { RoleController, RolePorts } from '../link/role.controller.js';
import type { RoleTransport } from '../link/transport.js';
import type { LogSink, NodeLogger } from '../runtime/logger.js';
import { Opened, type RoleApp } from '../runtime/role-app.js';
import { channelNameOf } from './channel.compose.js';
import { nodeGround } from './node-ground.js';

@Module({})
class RoleModule {
  static of(ports: RolePorts): DynamicModule {
    return { module: RoleModule, controllers: [RoleController], providers: [{ provide: RolePorts, useValue: ports }] };
  }
}

@Module({})
class EventsModule {
  static of(ports: RolePorts, log: NodeLogger): DynamicModule {
    const providers = [
      { provide: RolePorts, useValue: ports },
      { provide: EventsLog, useValue: log },
    ];
    return { module: EventsModule, controllers: [EventsController], providers };
  }
}

/** Starts one role of a country's node; of the others nothing is loaded. What was opened is closed again where the start fails. */
export async function startRole(
  role: Role,
  config: NodeConfig,
  transport: RoleTransport,
  sink: LogSink,
  configFile?: string,
): Promise<RoleApp> {
  const opened = new Opened();
  try {
    const ground = await nodeGround(config, role, sink, configFile);
    opened.add(() => ground.telemetry.close());
    ground.partners.start();
    opened.add(() => ground.partners.stop());
    const link = await transport.link(role);
    opened.add(() => link.close());
    const server = await transport.server(role);
    const hear = async (ports: RolePorts): Promise<void> => {
      const events = await transport.events(role);
      if (events === undefined) return;
      const app = await listen(EventsModule.of(ports, ground.logger), events, ground.logger);
      opened.add(() => app.close());
    };
    if (role === 'edge') {
      const { startEdge } = await import('./edge.compose.js');
      await hear(await startEdge(ground, link, server, opened));
    } else {
      const part =
        role === 'exchange'
          ? await (await import('./exchange.compose.js')).composeExchange(ground, link, await channelNameOf(ground), opened)
          : await (await import('./notary.compose.js')).composeNotary(ground, link, opened);
      const app = await listen(RoleModule.of(part.rolePorts), server, ground.logger);
      opened.add(() => app.close());
      await part.start();
      await hear(part.rolePorts);
    }
    return { role, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** The message side of a role without HTTP: one country's failure must not end a process that runs several. */
async function listen(module: DynamicModule, server: MicroserviceOptions, logger: NodeLogger): Promise<INestApplicationContext> {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, { ...server, logger, abortOnError: false });
  await app.listen();
  return app;
}
