import { randomUUID } from 'node:crypto';
import type { Role, RoleMessages, RoleMessageType } from '@portolan/domain';
import { InProcessClient, InProcessServer, type CallerContext, type InProcessHub } from '../../../link/in-process.js';
import { RoleLink } from '../../../link/role-link.js';
import type { Delivery } from '../../../link/role-events.js';

interface Received {
  readonly id: string;
  readonly type: string;
  readonly body: unknown;
}

/** Another role as the edge meets it: it takes deliveries, fetches their bodies, and sends messages whose bodies it gives out. */
export class PlayedRole {
  readonly received: Received[] = [];
  /** What this role does on a message. */
  onMessage: (message: Received) => Promise<void> = async () => undefined;
  /** What this role says to a question; nothing, where nobody set it. */
  answers: (name: string, data: unknown) => Promise<unknown> = async () => undefined;
  private readonly outbox = new Map<string, unknown>();

  private constructor(
    private readonly server: InProcessServer,
    private readonly link: RoleLink,
  ) {}

  static async start(hub: InProcessHub, role: Role): Promise<PlayedRole> {
    const server = new InProcessServer(hub, role);
    const played = new PlayedRole(server, new RoleLink(new Map([['edge', new InProcessClient(hub, role, 'edge')]]), 5_000));
    server.addHandler('deliver', (delivery: Delivery, context: CallerContext) => played.take(delivery, context));
    server.addHandler('query', async ({ name, data }: { name: string; data: unknown }) => ({ answer: await played.answers(name, data) }));
    server.addHandler('outbox.body', async ({ id }: { id: string }) => ({ body: played.outbox.get(id) }));
    server.listen(() => undefined);
    return played;
  }

  async close(): Promise<void> {
    this.server.close();
    await this.link.close();
  }

  async send<Type extends RoleMessageType>(type: Type, body: RoleMessages[Type]): Promise<void> {
    const id = randomUUID();
    this.outbox.set(id, body);
    await this.link.ask('edge', 'deliver', { id, type });
  }

  /** Bodies of one kind that came, oldest first. */
  of<Type extends RoleMessageType>(type: Type): readonly RoleMessages[Type][] {
    return this.received.filter((one) => one.type === type).map(({ body }) => body as RoleMessages[Type]);
  }

  /** Waits until a message fits. */
  async until<Type extends RoleMessageType>(
    type: Type,
    fits: (body: RoleMessages[Type]) => boolean = () => true,
  ): Promise<RoleMessages[Type]> {
    for (let tries = 0; tries < 250; tries += 1) {
      const found = this.of(type).find(fits);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    throw new Error(`no ${type} came`);
  }

  private async take({ id, type }: Delivery, { caller }: CallerContext): Promise<{ done: true }> {
    const { body } = await this.link.ask<{ body: unknown }>(caller, 'outbox.body', { id });
    const message = { id, type, body };
    this.received.push(message);
    void this.onMessage(message);
    return { done: true };
  }
}
