import { installed } from '../installed.js';

/** What a broker runs with, as `tools/engines/kafka/install.mjs` prints it. */
export interface KafkaEngine {
  /** Folder of jars, each checked against its pin. */
  readonly jars: string;
  readonly java: string;
  /** Class-data archive of this Java and these jars; may not be there yet. */
  readonly archive: string;
  readonly version: string;
}

/** Kafka, fetched into the user's cache where it is not there yet; what is absent where the machine lacks Java or Maven. */
export const kafkaEngine = (say?: (text: string) => void): Promise<KafkaEngine | { readonly absent: string }> => installed('kafka', say);
