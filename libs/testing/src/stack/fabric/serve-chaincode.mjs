// Serves a chaincode of a test as an external service; its environment is that of apps/contract.
import { readFileSync } from 'node:fs';
import shim from 'fabric-shim';

export async function serveChaincode(chaincode) {
  const {
    CHAINCODE_ID: ccid,
    CHAINCODE_SERVER_ADDRESS: address,
    CHAINCODE_TLS_KEY_FILE: key,
    CHAINCODE_TLS_CERT_FILE: cert,
    CHAINCODE_TLS_CLIENT_CACERT_FILE: ca,
  } = process.env;
  const tlsProps = { key: readFileSync(key), cert: readFileSync(cert), clientCACerts: readFileSync(ca) };
  await shim.server(chaincode, { ccid, address, tlsProps }).start();
}
