/** Faults that tests of the house try by themselves, not in the middle of a stream; `faults --list` names them with their commands. */
export const triedElsewhere: readonly { readonly what: string; readonly command: string }[] = [
  {
    what: 'a certificate of any other authority, the partner’s own included; a server of another authority',
    command: 'npx vitest run --project int libs/testing/src/contract/kafka-inbox.int.test.ts',
  },
  {
    what: 'a dropped key: its grants go, our own sockets to its country are destroyed; another country’s topic',
    command: 'npx vitest run --project int libs/testing/src/contract/kafka-only.int.test.ts',
  },
  {
    what: 'a revoked key at the door within two seconds, an ended signing key',
    command: 'npx vitest run --project scenario-real libs/testing/src/scenarios/invariant-11',
  },
  {
    what: 'altered chaincode of two countries, heads that drop or rewrite, steps without a predecessor, receipts on what never counted',
    command: 'npx vitest run --project int libs/testing/src/contract/fabric-attacks.int.test.ts',
  },
];
