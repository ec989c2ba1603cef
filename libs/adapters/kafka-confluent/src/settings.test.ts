import { describe, expect, it } from 'vitest';
import { failureOf, LibraryFailure } from './failures.js';
import { brokerVerdict, tlsVerdict } from './settings.js';

describe('what the library says in its log', () => {
  it.each([
    ['SSL handshake failed: error:0A000086:SSL routines::certificate verify failed', 'CERT_NOT_VERIFIED'],
    ['broker certificate could not be verified, verify that ssl.ca.location is correctly configured', 'CERT_NOT_VERIFIED'],
    ['ssl://127.0.0.1:9/bootstrap: error:0A000418:SSL routines::tlsv1 alert unknown ca', 'ERR_SSL_ALERT'],
    ['ssl://127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection refused', undefined],
  ])('%s: of certificates %s', (line, verdict) => {
    expect(tlsVerdict(line)).toBe(verdict);
  });

  it.each([
    ['Error: Broker: Topic authorization failed', 'TOPIC_AUTHORIZATION_FAILED'],
    ['Error: 1/1 brokers are down', 'ALL_BROKERS_DOWN'],
    ['Producer disconnected', undefined],
  ])('%s: of brokers %s', (line, verdict) => {
    expect(brokerVerdict(line)).toBe(verdict);
  });
});

describe('what the library fails with', () => {
  const codes = { ERR_TOPIC_AUTHORIZATION_FAILED: 29, ERR__MSG_TIMED_OUT: -192 };
  it.each([
    [{ code: 29 }, 'TOPIC_AUTHORIZATION_FAILED'],
    [{ code: -192 }, 'MSG_TIMED_OUT'],
    [{ code: 12_345 }, 'UNKNOWN'],
    [new Error('with health data'), 'UNKNOWN'],
    [new LibraryFailure('TIMED_OUT'), 'TIMED_OUT'],
  ])('%s is %s', (error, type) => {
    expect(failureOf(error, codes)).toMatchObject({ type, message: type });
  });
});
