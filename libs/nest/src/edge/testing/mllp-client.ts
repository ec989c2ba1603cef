import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** A sender's side of one MLLP connection. */
export class MllpClient {
  private received = Buffer.alloc(0);
  private closed = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk])));
    socket.on('close', () => (this.closed = true));
    socket.on('error', () => undefined);
  }

  static async connect({ host, port }: { host: string; port: number }): Promise<MllpClient> {
    const socket = connect(port, host);
    await once(socket, 'connect');
    return new MllpClient(socket);
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  send(message: Uint8Array): void {
    this.write(Buffer.concat([Buffer.from([0x0b]), message, Buffer.from([0x1c, 0x0d])]));
  }

  /** The next acknowledgement's bytes; rejects where the connection ends first, or after `ms`. */
  async next(ms = 10_000): Promise<Buffer> {
    for (const end = Date.now() + ms; ;) {
      const stop = this.received.indexOf(Buffer.from([0x1c, 0x0d]));
      if (stop >= 0) {
        const message = this.received.subarray(1, stop);
        this.received = this.received.subarray(stop + 2);
        return message;
      }
      if (this.closed) throw new Error('closed');
      if (Date.now() > end) throw new Error('no acknowledgement in time');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async ask(message: Uint8Array): Promise<string> {
    this.send(message);
    return (await this.next()).toString('utf8');
  }

  /** Resolves when the other side has closed. */
  async ended(ms = 10_000): Promise<void> {
    for (const end = Date.now() + ms; !this.closed;) {
      if (Date.now() > end) throw new Error('still open');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  finish(): void {
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
  }
}
