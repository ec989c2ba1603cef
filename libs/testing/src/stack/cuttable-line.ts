import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';

/**
 * A line on loopback that can be cut: TCP is passed on as it is, and while the line is cut nothing passes in either direction and nobody is
 * told, as where a network drops every packet. What was under way then goes on when the line is whole again.
 */
export class CuttableLine {
  private readonly ends = new Set<Socket>();
  private readonly waiting: Socket[] = [];
  private target = 0;
  private isCut = false;

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => this.take(socket));
  }

  static async open(): Promise<CuttableLine> {
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, HOST);
    await once(server, 'listening');
    return new CuttableLine(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  leadTo(port: number): void {
    this.target = port;
  }

  cut(): void {
    this.isCut = true;
    for (const end of this.ends) end.pause();
  }

  mend(): void {
    this.isCut = false;
    for (const end of this.ends) end.resume();
    for (const socket of this.waiting.splice(0)) this.join(socket);
  }

  async close(): Promise<void> {
    for (const end of [...this.ends, ...this.waiting]) end.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private take(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    if (this.isCut) this.waiting.push(socket);
    else this.join(socket);
  }

  private join(near: Socket): void {
    if (near.destroyed) return;
    const far = connect(this.target, HOST);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.ends.add(from);
      from.on('data', (bytes) => {
        // A socket that was just cut may still hand over what it had read.
        if (!to.write(bytes) && !this.isCut) {
          from.pause();
          to.once('drain', () => {
            if (!this.isCut) from.resume();
          });
        }
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.ends.delete(from);
        to.destroy();
      });
    }
    near.resume();
  }
}
