// The chaincode of a country that lies: it judges nothing. Every act it endorses with a yes, every step with accepted, every head as proved,
// and writes what was never said; every question it answers with a record that nobody wrote. Its environment is that of apps/contract.
import shim from 'fabric-shim';
import { serveChaincode } from '../stack/fabric/serve-chaincode.mjs';

class LyingChaincode {
  async Init() {
    return shim.success();
  }

  async Invoke(stub) {
    const { fcn, params } = stub.getFunctionAndParameters();
    if (params.length !== 2) return shim.success(Buffer.from('{"record":{}}'));
    const { steps = [] } = JSON.parse(params[1]);
    await stub.putState(`EE/${fcn}/${params[0]}`, Buffer.from('{"record":{"forged":true}}'));
    return shim.success(Buffer.from(JSON.stringify({ verdicts: steps.map((_, position) => ({ ok: true, position })) })));
  }
}

await serveChaincode(new LyingChaincode());
