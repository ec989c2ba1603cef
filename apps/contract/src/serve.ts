import { PortolanError, Validators } from '@portolan/contracts';
import { Shim } from 'fabric-shim';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { portolanChaincode } from './chaincode.js';

/** What the chaincode's service is told by its environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Largest message of a peer: an act of 2.8 million characters, and room for what is around it. */
const messageBytes = 16_777_216;

/**
 * Serves the chaincode to its own peer until the process ends. `CHAINCODE_ID` is the package id that the peer installed,
 * `CHAINCODE_SERVER_ADDRESS` host:port to listen on; with `CHAINCODE_TLS_KEY_FILE` and `CHAINCODE_TLS_CERT_FILE` over TLS, and with
 * `CHAINCODE_TLS_CLIENT_CACERT_FILE` too only for a peer whose client certificate that authority issued. `config.invalid` names what is missing.
 */
export async function serve(environment: Environment): Promise<void> {
  const tls = tlsOf(environment);
  const options = {
    ccid: required(environment, 'CHAINCODE_ID'),
    address: required(environment, 'CHAINCODE_SERVER_ADDRESS'),
    'grpc.max_receive_message_length': messageBytes,
    'grpc.max_send_message_length': messageBytes,
    'grpc.keepalive_time_ms': 110_000,
    'grpc.keepalive_timeout_ms': 20_000,
    ...(tls === undefined ? {} : { tlsProps: tls }),
  };
  const deps = {
    validators: new Validators(),
    sha256: (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest(),
    now: () => Date.now(),
  };
  await Shim.server(portolanChaincode(deps), options as Parameters<typeof Shim.server>[1]).start();
}

function tlsOf(environment: Environment): { key: Buffer; cert: Buffer; clientCACerts?: Buffer } | undefined {
  const { CHAINCODE_TLS_KEY_FILE: key, CHAINCODE_TLS_CERT_FILE: cert, CHAINCODE_TLS_CLIENT_CACERT_FILE: ca } = environment;
  if (key === undefined && cert === undefined && ca === undefined) return undefined;
  return {
    key: readFileSync(required(environment, 'CHAINCODE_TLS_KEY_FILE')),
    cert: readFileSync(required(environment, 'CHAINCODE_TLS_CERT_FILE')),
    ...(ca === undefined ? {} : { clientCACerts: readFileSync(ca) }),
  };
}

function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value === undefined || value === '') throw new PortolanError('config.invalid', name);
  return value;
}
