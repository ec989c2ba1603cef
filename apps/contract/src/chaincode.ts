import { JSONSerializer } from 'fabric-contract-api';
import ChaincodeFromContract from 'fabric-shim/lib/contract-spi/chaincodefromcontract.js';
import { portolanContract, type ContractDeps } from './contract/portolan.contract.js';

/** The contract behind the two functions that a peer calls. */
export function portolanChaincode(deps: ContractDeps): ChaincodeFromContract {
  const serializers = { transaction: 'json', serializers: { json: JSONSerializer } };
  return new ChaincodeFromContract([portolanContract(deps)], serializers, {}, 'portolan', '0.1.0');
}
