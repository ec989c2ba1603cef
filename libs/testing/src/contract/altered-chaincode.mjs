// The chaincode of an organisation that cheats: it judges nothing and writes whatever the transaction's transient field `plan` says,
// `{"writes": [{"owner"?, "key", "text"}], "answer"}`. Its environment is that of apps/contract.
import shim from 'fabric-shim';
import { serveChaincode } from '../stack/fabric/serve-chaincode.mjs';

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

await serveChaincode(new AlteredChaincode());
