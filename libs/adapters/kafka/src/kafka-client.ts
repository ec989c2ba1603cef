import { connect, type TLSSocket } from 'node:tls';
import type { ErrorCode } from '@portolan/contracts';
import { Kafka, logLevel, type ISocketFactory } from 'kafkajs';
import { kafkajsLog, type KafkaLog } from './log.js';
import { quickEncoders } from './quick-encoder.js';
import { quietRequestQueues } from './quiet-request-queue.js';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** One end of mutual TLS, as PEM: our key and certificate, and the one authority that the brokers must come from. */
export interface ClientIdentity {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  readonly authorityPem: string;
}

export interface KafkaClientConfig {
  readonly clientId: string;
  readonly brokers: readonly BrokerAddress[];
  readonly identity: ClientIdentity;
  readonly log: KafkaLog;
  /** What is logged where kafkajs complains. */
  readonly code: ErrorCode;
  /** One answer of a broker; it is asked for a few times. */
  readonly answerMs?: number;
}

const CONNECT_WITHIN_MS = 5_000;
const ANSWER_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
/** Few and quick: whoever called us tries again, and knows better when. */
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 3 };

/**
 * A kafkajs client over mutual TLS 1.3, whose sockets are ours to destroy: kafkajs cannot be told to let go of one. Once destroyed it
 * opens no other, whatever kafkajs is still trying.
 */
export class KafkaClient {
  readonly kafka: Kafka;
  private readonly sockets = new Set<TLSSocket>();
  private isDestroyed = false;
  private lastTlsError: string | undefined;
  /** kafkajs complains of each socket that we destroy, and of its own attempts afterwards: no failure, and not to be told as one. */
  private readonly log: KafkaLog = {
    failure: (...complaint) => {
      if (!this.isDestroyed) this.config.log.failure(...complaint);
    },
  };

  constructor(private readonly config: KafkaClientConfig) {
    quietRequestQueues();
    quickEncoders();
    this.kafka = new Kafka({
      clientId: config.clientId,
      brokers: config.brokers.map(({ host, port }) => `${host}:${port}`),
      ssl: true,
      socketFactory: this.open,
      connectionTimeout: CONNECT_WITHIN_MS,
      requestTimeout: config.answerMs ?? ANSWER_MS,
      enforceRequestTimeout: true,
      retry: RETRY,
      logLevel: logLevel.ERROR,
      logCreator: kafkajsLog(this.log, config.code),
    });
  }

  /** OpenSSL's verdict on a certificate, ours or the broker's, where that was the last thing that went wrong. */
  get tlsError(): string | undefined {
    return this.lastTlsError;
  }

  destroy(): void {
    this.isDestroyed = true;
    // With an error: kafkajs waits for ever on a socket that merely closes.
    for (const socket of this.sockets) socket.destroy(new Error('let go of'));
  }

  private readonly open: ISocketFactory = ({ host, port, onConnect }) => {
    if (this.isDestroyed) throw new Error('this client was let go of');
    const { authorityPem: ca, certificatePem: cert, privateKeyPem: key } = this.config.identity;
    const socket = connect({ host, port, ca, cert, key, minVersion: 'TLSv1.3', rejectUnauthorized: true }, () => {
      this.lastTlsError = undefined;
      onConnect();
    });
    this.sockets.add(socket);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (isOfTls(error.code)) this.lastTlsError = error.code;
    });
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  };
}

/** OpenSSL's verdicts about certificates. */
const isOfTls = (code: string | undefined): boolean =>
  /^(ERR_SSL_|ERR_TLS_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_|HOSTNAME_|PATH_LENGTH_)/.test(code ?? '');
