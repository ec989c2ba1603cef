// fabric-shim 2.5.8 ships no types for what its own command line starts a contract with.
declare module 'fabric-shim/lib/contract-spi/chaincodefromcontract.js' {
  import type { Contract } from 'fabric-contract-api';
  import type { ChaincodeInterface, ChaincodeResponse, ChaincodeStub } from 'fabric-shim-api';

  interface Serializers {
    readonly transaction: string;
    readonly serializers: Record<string, new () => object>;
  }

  export default class ChaincodeFromContract implements ChaincodeInterface {
    constructor(contracts: (new () => Contract)[], serializers: Serializers, metadata?: object, title?: string, version?: string);
    Init(stub: ChaincodeStub): Promise<ChaincodeResponse>;
    Invoke(stub: ChaincodeStub): Promise<ChaincodeResponse>;
  }
}
