// A chaincode that keeps notes, for tests of a network as such: whatever the ledger's rules say, who endorsed is Fabric's affair.
//
//   node trial-chaincode.mjs [--reads-as TEXT]
//
// Its environment is that of apps/contract. With --reads-as it answers every reading with that text, as one that cheats would.
import shim from 'fabric-shim';
import { serveChaincode } from './serve-chaincode.mjs';

const [option, text] = process.argv.slice(2);
const lie = option === '--reads-as' ? text : undefined;

const acts = {
  put: async (stub, key, value) => stub.putState(key, Buffer.from(value)),
  get: async (stub, key) => (lie === undefined ? stub.getState(key) : Buffer.from(lie)),
  putOwned: async (stub, org, key, value) => stub.putPrivateData(`_implicit_org_${org}`, key, Buffer.from(value)),
  hashOwned: async (stub, org, key) => Buffer.from(await stub.getPrivateDataHash(`_implicit_org_${org}`, key)).toString('hex'),
  caller: async (stub) => {
    const identity = new shim.ClientIdentity(stub);
    return JSON.stringify({ org: identity.getMSPID(), role: identity.getAttributeValue('portolan.role') });
  },
};

class TrialChaincode {
  async Init() {
    return shim.success();
  }

  async Invoke(stub) {
    const { fcn, params } = stub.getFunctionAndParameters();
    try {
      const answer = await acts[fcn](stub, ...params);
      return shim.success(Buffer.from(answer ?? ''));
    } catch (error) {
      return shim.error(Buffer.from(String(error)));
    }
  }
}

await serveChaincode(new TrialChaincode());
