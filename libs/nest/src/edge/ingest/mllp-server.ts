import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { PortolanError, type ErrorCode } from '@portolan/contracts';
import { instant, readHead, type IngestProblem } from '@portolan/domain';
import type { EdgeParts } from '../edge.parts.js';
import { acknowledgements, notTakenOver, type AckSender } from './acknowledge.js';
import type { IngestService } from './ingest.service.js';
import { MllpConnection, type MllpLimits } from './mllp-connection.js';

export interface MllpServerLimits extends MllpLimits {
  readonly maxConnections: number;
  /** How long closing waits for messages that are being dealt with. */
  readonly graceMs: number;
}

export const defaultMllpLimits: MllpServerLimits = {
  maxFrameBytes: 4_194_304,
  frameMs: 30_000,
  idleMs: 600_000,
  maxConnections: 200,
  graceMs: 10_000,
};

type Tools = Pick<EdgeParts, 'clock' | 'random' | 'logger'>;

/**
 * HL7 v2 over MLLP (HL7 v2 Transport Specification, MLLP release 1). An acknowledgement is sent when its message is committed, and
 * says so; bytes that are no frame end the connection.
 */
export class MllpServer {
  private readonly server: Server;
  private readonly connections = new Map<MllpConnection, Promise<void>>();
  private readonly sender: AckSender;

  constructor(
    private readonly ingest: Pick<IngestService, 'accept'>,
    private readonly tools: Tools,
    private readonly limits: MllpServerLimits = defaultMllpLimits,
  ) {
    const { clock, random } = tools;
    this.sender = { now: () => instant(clock.now()), controlId: () => random.uuid().replaceAll('-', '').slice(0, 20) };
    this.server = createServer({ noDelay: true }, (socket) => this.open(socket));
    this.server.maxConnections = limits.maxConnections;
  }

  /** Starts listening; answers with the real port where 0 was asked for. Rejects where the port is taken. */
  async listen(door: { readonly host: string; readonly port: number }): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(door.port, door.host, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    const { port } = this.server.address() as AddressInfo;
    this.tools.logger.info('mllp listening', { port });
    return port;
  }

  /** Takes no more connections, lets messages in hand be answered, and closes. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const connection of this.connections.keys()) connection.stop();
    const grace = setTimeout(() => {
      for (const connection of this.connections.keys()) connection.abort();
    }, this.limits.graceMs);
    await Promise.all(this.connections.values());
    clearTimeout(grace);
    await closed;
  }

  private open(socket: Socket): void {
    const connection = new MllpConnection(socket, this.limits, (message) => this.answer(message));
    const served = this.serve(connection).finally(() => this.connections.delete(connection));
    this.connections.set(connection, served);
  }

  private async serve(connection: MllpConnection): Promise<void> {
    try {
      await connection.serve();
    } catch (error) {
      // What else ends a connection is the network's: the sender has no acknowledgement, and sends again.
      if (!(error instanceof PortolanError)) return;
      this.tools.logger.failure('mllp connection closed', error.code, error);
      if (error.code === 'ingest.frame-too-large') await connection.send(this.refusal(new Uint8Array(), error.code));
    } finally {
      connection.end();
    }
  }

  private async answer(message: Uint8Array): Promise<readonly Uint8Array[]> {
    try {
      const { answer, head } = await this.ingest.accept({ bytes: message, via: 'mllp', source: undefined });
      this.tools.logger.info('message taken over', { via: 'mllp', format: head.format, state: answer.state, message: answer.messageId });
      return acknowledgements(head, answer.problems, this.sender);
    } catch (error) {
      const code: ErrorCode = error instanceof PortolanError ? error.code : 'ingest.failed';
      this.tools.logger.failure('message not taken over', code, error);
      return [this.refusal(message, code)];
    }
  }

  private refusal(message: Uint8Array, code: ErrorCode): Uint8Array {
    const problem: IngestProblem = { code, path: '', severity: 'document' };
    return notTakenOver(readHead(message), problem, this.sender);
  }
}
