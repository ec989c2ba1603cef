import { common, peer } from '@hyperledger/fabric-protos';
import { PortolanError, type ErrorCode } from '@portolan/contracts';
import type { IndexedBlock, IndexedTx, StateWrite } from '@portolan/domain';
import { actOf, instantOf, orgPattern, sha256Of } from './act.js';
import { openEnvelope, type ChaincodeCall, type RawWrite } from './envelope.js';
import { dataHashOf, headerHash } from './header-hash.js';

/** The end of an index: what the next block must continue. */
export type Tip = Omit<IndexedBlock, 'transactions'>;

export interface ReadBlock {
  readonly block: IndexedBlock;
  readonly writes: readonly StateWrite[];
}

/** Keys of the index: public ones by their name, owned ones by the hash that a block shows of them. */
export const indexKeys = {
  open: (key: string): string => `public:${key}`,
  owned: (org: string, keyHash: string): string => `owned:${org}:#${keyHash}`,
  /** Bytes of common.Config, as the newest configuration transaction left it. */
  config: 'channel:config',
  /** Certificate of a peer that endorsed a valid act, PEM. */
  endorser: (org: string, certificate: string): string => `endorser:${org}:${sha256Of(certificate)}`,
};

const { VALID, MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT, ENDORSEMENT_POLICY_FAILURE, DUPLICATE_TXID } = peer.TxValidationCode;
const codes: Readonly<Record<number, ErrorCode>> = {
  [MVCC_READ_CONFLICT]: 'ledger.read-conflict',
  [PHANTOM_READ_CONFLICT]: 'ledger.read-conflict',
  [ENDORSEMENT_POLICY_FAILURE]: 'ledger.endorsement-policy',
  [DUPLICATE_TXID]: 'orderer.transaction-duplicate',
};

/** Registry code of one of Fabric's validation codes; undefined where the transaction is valid. */
export function validationCode(code: number): ErrorCode | undefined {
  return code === VALID ? undefined : (codes[code] ?? 'ledger.transaction-invalid');
}

/** Takes a block of our own peer apart; `orderer.block-invalid` where it does not continue the index after `tip`. */
export function readBlock(raw: common.Block, tip: Tip | undefined, chaincode: string): ReadBlock {
  const envelopes = raw.getData()?.getDataList_asU8() ?? [];
  const { number, hash } = checkedHeader(raw, envelopes, tip);
  const filter = raw.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.TRANSACTIONS_FILTER] ?? new Uint8Array();
  const found = envelopes.map((bytes, index) => readEnvelope(bytes, index, validationCode(filter[index] ?? 254), chaincode, number));
  const latest = Math.max(...found.map(({ millis }) => millis), Date.parse(tip?.time ?? instantOf(0)));
  const transactions = found.flatMap(({ act }) => (act === undefined ? [] : [act]));
  const writes = new Map(found.flatMap((one) => one.writes).map((write) => [write.key, write]));
  return { block: { number, hash, time: instantOf(latest), transactions }, writes: [...writes.values()] };
}

function checkedHeader(raw: common.Block, envelopes: readonly Uint8Array[], tip: Tip | undefined): { number: number; hash: string } {
  const header = raw.getHeader() ?? new common.BlockHeader();
  const number = tip === undefined ? 0 : tip.number + 1;
  const previous = Buffer.from(header.getPreviousHash_asU8());
  const dataHash = Buffer.from(header.getDataHash_asU8());
  const continues = header.getNumber() === number && (tip === undefined || previous.toString('hex') === tip.hash);
  if (!continues) throw new PortolanError('orderer.block-invalid', `block ${number} header`);
  if (!dataHash.equals(dataHashOf(envelopes))) throw new PortolanError('orderer.block-invalid', `block ${number} data`);
  return { number, hash: headerHash({ number, previous, dataHash }).toString('hex') };
}

interface Read {
  readonly act: IndexedTx | undefined;
  readonly writes: readonly StateWrite[];
  /** Time of a valid act; 0 for everything else. */
  readonly millis: number;
}

const nothing: Read = { act: undefined, writes: [], millis: 0 };

/** What Fabric found invalid may be of any form: then it is passed over. What is valid must be readable. */
function readEnvelope(bytes: Uint8Array, index: number, code: ErrorCode | undefined, chaincode: string, number: number): Read {
  try {
    const opened = openEnvelope(bytes);
    if (opened.is === 'config' && code === undefined) return { ...nothing, writes: [{ key: indexKeys.config, value: opened.config() }] };
    if (opened.is !== 'call' || opened.chaincode !== chaincode) return nothing;
    const call = opened.call();
    const act = actOf(call, { index, code, bytes });
    return code === undefined ? { act, writes: writesOf(call), millis: call.millis } : { ...nothing, act };
  } catch (error) {
    if (code !== undefined) return nothing;
    throw new PortolanError('orderer.block-invalid', `block ${number} transaction ${index}`, undefined, { cause: error });
  }
}

/** Keys as the rules write them. Altered chaincode may write others, which nobody reads and a database need not hold. */
const recordKey = /^[A-Z][A-Z0-9]{1,7}\/[\x21-\x7e]{1,200}$/u;
const collectionPrefix = '_implicit_org_';

function writesOf({ writes, endorsers }: ChaincodeCall): StateWrite[] {
  const known = endorsers.filter(({ org }) => orgPattern.test(org));
  return [
    ...writes.flatMap(stateWrite),
    ...known.map(({ org, certificate }) => ({ key: indexKeys.endorser(org, certificate), value: Buffer.from(certificate) })),
  ];
}

/** A deleted value is kept as no bytes: the chaincode too reads that as nothing. */
function stateWrite(write: RawWrite): StateWrite[] {
  if ('key' in write) return recordKey.test(write.key) ? [{ key: indexKeys.open(write.key), value: write.value }] : [];
  const org = write.collection.startsWith(collectionPrefix) ? write.collection.slice(collectionPrefix.length) : '';
  return orgPattern.test(org) ? [{ key: indexKeys.owned(org, write.keyHash), value: Buffer.from(write.valueHash) }] : [];
}
