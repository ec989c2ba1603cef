// The chaincode of an organisation that cheats: it judges nothing and writes whatever the transaction's transient field `plan` says,
// `{"writes": [{"owner"?, "key", "text"}], "answer"}`. Its environment is that of apps/contract.
import { readFileSync } from 'node:fs';
import shim from 'fabric-shim';

class AlteredChaincode {
  async Init() {
    return shim.success();
  }

  async Invoke(stub) {
    const { writes, answer } = JSON.parse(Buffer.from(stub.getTransient().get('plan')).toString('utf8'));
    for (const { owner, key, text } of writes) {
      if (owner === undefined) await stub.putState(key, Buffer.from(text));
      else await stub.putPrivateData(`_implicit_org_${owner}`, key, Buffer.from(text));
    }
    return shim.success(Buffer.from(answer));
  }
}

const {
  CHAINCODE_ID: ccid,
  CHAINCODE_SERVER_ADDRESS: address,
  CHAINCODE_TLS_KEY_FILE: key,
  CHAINCODE_TLS_CERT_FILE: cert,
  CHAINCODE_TLS_CLIENT_CACERT_FILE: ca,
} = process.env;
const tlsProps = { key: readFileSync(key), cert: readFileSync(cert), clientCACerts: readFileSync(ca) };
await shim.server(new AlteredChaincode(), { ccid, address, tlsProps }).start();
