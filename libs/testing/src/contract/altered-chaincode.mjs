// The chaincode of an organisation that cheats: it judges nothing and writes whatever the transaction's transient field `plan` says,
// `{"writes": [{"owner"?, "key", "text", "keptBy"?}], "answer"}`; `keptBy` names organisations without which nobody writes that key again.
// Its environment is that of apps/contract.
import shim, { KeyEndorsementPolicy } from 'fabric-shim';
import { serveChaincode } from '../stack/fabric/serve-chaincode.mjs';

class AlteredChaincode {
  async Init() {
    return shim.success();
  }

  async Invoke(stub) {
    const { writes, answer } = JSON.parse(Buffer.from(stub.getTransient().get('plan')).toString('utf8'));
    for (const { owner, key, text, keptBy } of writes) {
      if (owner === undefined) await stub.putState(key, Buffer.from(text));
      else await stub.putPrivateData(`_implicit_org_${owner}`, key, Buffer.from(text));
      if (keptBy !== undefined) await stub.setStateValidationParameter(key, policyOf(keptBy));
    }
    return shim.success(Buffer.from(answer));
  }
}

function policyOf(orgs) {
  const policy = new KeyEndorsementPolicy();
  policy.addOrgs('PEER', ...orgs);
  return policy.getPolicy();
}

await serveChaincode(new AlteredChaincode());
