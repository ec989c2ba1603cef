import { ClientProxy, Server, type CustomTransportStrategy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { Role } from '@portolan/domain';
import { isObservable, lastValueFrom } from 'rxjs';

/** Where the roles of one process find each other. One hub a country: no country sees another's. */
export class InProcessHub {
  private readonly servers = new Map<Role, InProcessServer>();

  register(role: Role, server: InProcessServer): void {
    this.servers.set(role, server);
  }

  remove(role: Role): void {
    this.servers.delete(role);
  }

  server(role: Role): InProcessServer | undefined {
    return this.servers.get(role);
  }
}

/** What a handler may know of its caller: here the hub's word, over TCP the certificate's. */
export interface CallerContext {
  readonly caller: Role;
}

/** Nest transport between roles of one process: messages are copied both ways, as if they had crossed a wire. */
export class InProcessServer extends Server implements CustomTransportStrategy {
  constructor(
    private readonly hub: InProcessHub,
    private readonly role: Role,
  ) {
    super();
  }

  listen(callback: () => void): void {
    this.hub.register(this.role, this);
    callback();
  }

  close(): void {
    this.hub.remove(this.role);
  }

  on(): void {
    return;
  }

  unwrap<T>(): T {
    return this.hub as T;
  }

  async answer(pattern: string, data: unknown, caller: Role): Promise<unknown> {
    const handler = this.getHandlerByPattern(pattern);
    if (handler === null) throw new Error(`no handler for ${pattern}`);
    const context: CallerContext = { caller };
    const result: unknown = await handler(structuredClone(data), context);
    return structuredClone(isObservable(result) ? await lastValueFrom(result, { defaultValue: undefined }) : result);
  }
}

export class InProcessClient extends ClientProxy {
  constructor(
    private readonly hub: InProcessHub,
    private readonly us: Role,
    private readonly role: Role,
  ) {
    super();
  }

  async connect(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    return;
  }

  unwrap<T>(): T {
    return this.hub as T;
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const server = this.hub.server(this.role);
    if (server === undefined) {
      callback({ err: { code: 'link.unreachable' }, isDisposed: true });
      return () => undefined;
    }
    server.answer(String(packet.pattern), packet.data, this.us).then(
      (response) => callback({ response, isDisposed: true }),
      (err: unknown) => callback({ err, isDisposed: true }),
    );
    return () => undefined;
  }

  protected async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    return (await this.hub.server(this.role)?.answer(String(packet.pattern), packet.data, this.us)) as T;
  }
}
