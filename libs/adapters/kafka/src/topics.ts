import type { CountryCode, Kid } from '@portolan/contracts';
import { partnerCommonName } from '@portolan/domain';

const FROM = 'exchange.v1.from.';

/** Where messages lie that can never be taken as they are. */
export const DEAD_LETTERS = 'exchange.v1.dead-letters';
/** Unique and person-free: the receiver deduplicates by it. */
export const ID_HEADER = 'portolan-message-id';

/** The topic on the receiver's brokers that `sender` alone may write. */
export const topicFrom = (sender: CountryCode): string => `${FROM}${sender.toLowerCase()}`;

/** The country that may write a topic: whose word a message is, whatever stands in it. */
export function senderOf(topic: string): CountryCode {
  const country = topic.startsWith(FROM) ? topic.slice(FROM.length).toUpperCase() : '';
  if (!/^[A-Z]{2}$/.test(country)) throw new TypeError(`not a partner's topic: ${topic}`);
  return country;
}

/** Kafka's name of whoever shows the certificate that we issued for a partner's key. */
export const partnerPrincipal = (org: CountryCode, kid: Kid): string => `User:CN=${partnerCommonName({ org, kid })}`;
