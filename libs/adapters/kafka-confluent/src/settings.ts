import type { KafkaClientConfig } from '@portolan/kafka';
import type { LibrarySettings } from './confluent-library.js';

const CONNECT_WITHIN_MS = 5_000;
/** Of a broker that is away: how often it is knocked at. */
const KNOCK_FIRST_MS = 50;
const KNOCK_MOST_MS = 1_000;

/** Where the library's lines go: none is written, what they say of certificates is kept. */
export interface LineWatch {
  /** Told of each line; it may quote what came over the wire. */
  readonly line: (text: string) => void;
}

/** Mutual TLS with our identity and the one authority that the brokers must come from, and quick failures: whoever called us tries again. */
export function commonSettings(
  { clientId, brokers, identity }: KafkaClientConfig,
  answerMs: number,
  watch: LineWatch,
): Omit<LibrarySettings, 'kafkaJS'> & { kafkaJS: Record<string, unknown> } {
  return {
    kafkaJS: {
      clientId,
      brokers: brokers.map(({ host, port }) => `${host}:${port}`),
      ssl: true,
      connectionTimeout: CONNECT_WITHIN_MS,
      logger: silentLogger(watch),
    },
    'ssl.key.pem': identity.privateKeyPem,
    'ssl.certificate.pem': identity.certificatePem,
    'ssl.ca.pem': identity.authorityPem,
    'enable.ssl.certificate.verification': true,
    'ssl.endpoint.identification.algorithm': 'https',
    'allow.auto.create.topics': false,
    'socket.timeout.ms': answerMs,
    'socket.keepalive.enable': true,
    'socket.nagle.disable': true,
    'reconnect.backoff.ms': KNOCK_FIRST_MS,
    'reconnect.backoff.max.ms': KNOCK_MOST_MS,
  };
}

function silentLogger({ line }: LineWatch): object {
  const told = (message: unknown): void => line(String(message));
  const logger = { info: told, error: told, warn: told, debug: told, namespace: () => logger, setLogLevel: () => undefined };
  return logger;
}

/** What a broker refuses for good, or that none is there, in one of the library's lines, as Kafka names it; undefined where the line is about something else. */
export function brokerVerdict(text: string): string | undefined {
  const refused = /(topic|cluster|group) authorization failed/i.exec(text)?.[1];
  if (refused !== undefined) return `${refused.toUpperCase()}_AUTHORIZATION_FAILED`;
  return /brokers are down/i.test(text) ? 'ALL_BROKERS_DOWN' : undefined;
}

/** OpenSSL's verdict on a certificate in one of the library's lines, as a name; undefined where the line is about something else. */
export function tlsVerdict(text: string): string | undefined {
  if (/certificate verify failed|broker certificate could not be verified/i.test(text)) return 'CERT_NOT_VERIFIED';
  if (/ssl(v3)? alert|tlsv1 alert|alert (bad|unknown|certificate|unsupported)/i.test(text)) return 'ERR_SSL_ALERT';
  return undefined;
}
