import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, KafkaContext, Payload } from '@nestjs/microservices';
import { PortolanError } from '@portolan/contracts';
import { isUuid } from '@portolan/domain';
import { senderRoleOf } from '@portolan/kafka';
import type { NodeLogger } from '../runtime/logger.js';
import { failureOf } from './refusal.js';
import type { Delivery } from './role-events.js';
import { RolePorts } from './role.controller.js';

/** Where failures are told; a token of its own, since Nest finds what it injects by class. */
export abstract class EventsLog {
  abstract readonly failure: NodeLogger['failure'];
}

/** Takes events of other roles. None of them stops the reading: whose message was not settled is told again by its sender. */
@Controller()
export class EventsController {
  constructor(
    @Inject(RolePorts) private readonly ports: RolePorts,
    @Inject(EventsLog) private readonly log: EventsLog,
  ) {}

  @EventPattern('event')
  async event(@Payload() told: unknown, @Ctx() context: unknown): Promise<void> {
    try {
      const sender = context instanceof KafkaContext ? senderRoleOf(context.getTopic()) : undefined;
      if (sender === undefined || !isDelivery(told)) throw new PortolanError('link.unknown-message', 'event');
      await this.ports.deliveries.told(told, sender);
    } catch (error) {
      this.log.failure('event was not settled', failureOf(error, 'link.failed').code, error);
    }
  }
}

function isDelivery(told: unknown): told is Delivery {
  if (typeof told !== 'object' || told === null) return false;
  const { id, type, attempts } = told as Record<string, unknown>;
  return (
    typeof id === 'string' &&
    isUuid(id) &&
    typeof type === 'string' &&
    type.length <= 100 &&
    Number.isSafeInteger(attempts) &&
    Number(attempts) > 0
  );
}
