import {
  canonicalJson,
  parseBounded,
  PortolanError,
  type FabricReceipt,
  type FabricTrust,
  type HeadRecord,
  type LedgerEntry,
  type PutHeadArgs,
} from '@portolan/contracts';
import { bytesOfBase64 } from '../bytes/base64.js';
import { concat, hexOf, textOf } from '../bytes/bytes.js';
import { signatureFits } from '../fabric/ecdsa.js';
import { readIdentity, readTransaction, type FabricTransaction } from '../fabric/transaction.js';
import { collectionOf, contentKey, keyHash, readWriteSet, type WriteSet } from '../fabric/writes.js';
import { parseCanonical } from '../jws/jws.js';
import { checkCiphertext, checkCounterReceipt, checkOpening } from './disclosures.js';
import { checkLeaf, checkLeafInBatch } from './leaf-in-batch.js';
import { leafOf } from './leaf.js';
import { demand, type ReceiptCheck, type VerifyDeps } from './report.js';
import { pinnedCountries, trustedKeys, validAt } from './trust.js';

/**
 * The chain of a Fabric receipt: from the leaf to the batch root, and from the transaction's envelope down to the head that its endorsers
 * wrote, which repeats that root as they read it from committed state. Fabric signs no validity flag, so an endorsed batch alone proves nothing.
 */
export const fabricChecks: readonly ReceiptCheck<FabricReceipt, FabricTrust>[] = [
  { step: 'trust', run: checkTrust },
  { step: 'leaf', run: checkLeaf },
  { step: 'leaf-in-batch', run: checkLeafInBatch },
  { step: 'envelope', run: checkEnvelope },
  { step: 'head-signature', run: checkHeadSignature },
  { step: 'proposal', run: checkProposal },
  { step: 'write-set', run: checkWriteSet },
  { step: 'batch-in-head', run: checkBatchInHead },
  { step: 'endorsements', run: checkEndorsements },
  { step: 'ciphertext-hash', run: checkCiphertext },
  { step: 'commitment-opening', run: checkOpening },
  { step: 'counter-receipt', run: checkCounterReceipt },
];

/** common.HeaderType.ENDORSER_TRANSACTION. */
const endorserTransaction = 3;
/** common.Status.SUCCESS, which a chaincode answers with. */
const success = 200;
const headChars = 200_000;

const transactionOf = ({ head }: FabricReceipt): FabricTransaction => readTransaction(bytesOfBase64(head.envelope));
const ownerOf = ({ leaf }: FabricReceipt, { validators }: VerifyDeps): string => leafOf(leaf, validators).by;

function checkTrust(receipt: FabricReceipt, trust: FabricTrust): string {
  demand(receipt.channel === trust.channel, `the receipt is of another channel than the pinned ${trust.channel}`);
  const countries = pinnedCountries(trust).length;
  demand(countries > trust.otherEndorsers, 'the trust file asks for more countries than it pins');
  return `channel ${trust.channel}, ${countries} pinned countries`;
}

/** Fabric's own rules for a transaction (core/common/validation): its kind, its channel, and an id that its creator cannot choose. */
function checkEnvelope(receipt: FabricReceipt, trust: FabricTrust, { sha256 }: VerifyDeps): string {
  const { channel, nonce, creator, time } = transactionOf(receipt);
  demand(channel.type === endorserTransaction && channel.epoch === 0, 'this is not an endorsed transaction');
  demand(channel.channelId === trust.channel, 'the transaction is of another channel');
  demand(channel.txId === hexOf(sha256(concat(nonce, creator))), 'the transaction id is not the hash of nonce and creator');
  return `transaction ${channel.txId} of ${time}`;
}

/** The registry says which keys sign; the certificate around the key is judged by the channel. */
async function checkHeadSignature(receipt: FabricReceipt, trust: FabricTrust, deps: VerifyDeps): Promise<string> {
  const { creator, payload, signature, time } = transactionOf(receipt);
  const { mspId } = readIdentity(creator);
  demand(mspId === ownerOf(receipt, deps), 'the head is not of the country that anchored the step');
  const signed = concat(payload);
  for (const jwk of trustedKeys(trust, mspId, 'ledger', time)) {
    if (await signatureFits(signature, signed, jwk, deps.subtle)) return `signed by ${mspId}`;
  }
  demand(false, `the signature fits no ledger key of ${mspId} that was valid then`);
}

/** What was asked for is a head of this country, and what the endorsers answered is the answer to that. */
function checkProposal(receipt: FabricReceipt, trust: FabricTrust, deps: VerifyDeps): string {
  const { chaincodes, actionHeader, signatureHeader, channelHeader, proposal, proposalHash, status, ...transaction } =
    transactionOf(receipt);
  demand(
    chaincodes.every((name) => name === trust.chaincode),
    `the transaction is not of the chaincode ${trust.chaincode}`,
  );
  const { org, seq } = headArgsOf(transaction, deps);
  demand(org === ownerOf(receipt, deps), 'the head is not of the country that anchored the step');
  demand(hexOf(actionHeader) === hexOf(signatureHeader), 'the action is not of the one who signed');
  const hash = deps.sha256(concat(channelHeader, signatureHeader, proposal));
  demand(hexOf(hash) === hexOf(proposalHash), 'the endorsers answered another proposal');
  demand(status === success, 'the head was refused');
  return `put-head ${seq} of ${org}`;
}

/** The head is what was written, publicly and, as a hash, into its owner's own collection; and nothing else publicly. */
function checkWriteSet(receipt: FabricReceipt, trust: FabricTrust, deps: VerifyDeps): string {
  const transaction = transactionOf(receipt);
  const { org, seq } = headArgsOf(transaction, deps);
  const { written, hashed } = readWriteSet(transaction.results, trust.chaincode);
  const [write] = written;
  const hash = hexOf(deps.sha256(write?.value ?? new Uint8Array()));
  const placed = write !== undefined && liesAt(write.key, `${org}/head/${seq}`, hash);
  demand(written.length === 1 && placed, 'the transaction writes something else than the head');
  const ownWord = hashed.get(collectionOf(org))?.get(keyHash(`head/${seq}`, deps.sha256));
  demand(ownWord === hash, "the owner's collection does not hold the head's hash");
  const { by, at } = entryOf(write.value, deps);
  demand(by === org && at === transaction.time, 'the head was not written by this transaction');
  demandAsAsked(headOf(write.value, deps), headArgsOf(transaction, deps));
  return `head ${seq}, and its hash in the collection of ${org}`;
}

/** Receipts from before keys ended with the hash of their values verify, too: what counts is the owner's word. */
const liesAt = (key: string, name: string, hash: string): boolean => key === contentKey(name, hash) || key === name;

function demandAsAsked({ v, org, seq, size, root, batches }: HeadRecord, args: PutHeadArgs): void {
  const asked = { v: args.v, org: args.org, seq: args.seq, size: args.size, root: args.root, batches: args.batches };
  demand(canonicalJson({ v, org, seq, size, root, batches }) === canonicalJson(asked), 'the head is not the one that was asked for');
}

/** The head repeats the batch root, and the endorsers read the batch where it was committed. */
function checkBatchInHead(receipt: FabricReceipt, trust: FabricTrust, deps: VerifyDeps): string {
  const { read, written } = readWriteSet(transactionOf(receipt).results, trust.chaincode);
  const { org, seq, batches } = headOf(soleValue(written), deps);
  const { n, root, count } = receipt.batch;
  demand(
    batches.some((b) => b.n === n && b.root === root && b.count === count),
    'the head does not repeat this batch root',
  );
  const name = `${org}/batch/${n}`;
  const wasRead = [...read].some((key) => liesAt(key, name, key.slice(-64)));
  demand(wasRead, 'the endorsers did not read this batch from committed state');
  return `batch ${n} in head ${seq} of ${org}`;
}

const soleValue = ([write]: WriteSet['written']): Uint8Array => write?.value ?? new Uint8Array(0);

/** Every endorsement that the receipt brings must hold; among them the owner's, and those of enough other countries. */
async function checkEndorsements(receipt: FabricReceipt, trust: FabricTrust, deps: VerifyDeps): Promise<string> {
  const transaction = transactionOf(receipt);
  const certificates = new Set<string>();
  const orgs = new Set<string>();
  for (const endorsement of transaction.endorsements) {
    const { mspId, certificate } = await endorserOf(endorsement, transaction, trust, deps);
    demand(!certificates.has(certificate), `${mspId} endorses twice`);
    certificates.add(certificate);
    orgs.add(mspId);
  }
  const owner = ownerOf(receipt, deps);
  demand(orgs.has(owner), `${owner} itself did not endorse`);
  const others = pinnedCountries(trust).filter((org) => org !== owner && orgs.has(org));
  demand(others.length >= trust.otherEndorsers, `${others.length} other countries are fewer than ${trust.otherEndorsers}`);
  return `${owner} and ${others.length} other countries: ${others.join(', ')}`;
}

/** An endorsement's certificate is a pinned one of its organisation, and its key signed response and identity. */
async function endorserOf(
  { endorser, signature }: FabricTransaction['endorsements'][number],
  { response, time }: FabricTransaction,
  trust: FabricTrust,
  { subtle }: VerifyDeps,
): Promise<{ mspId: string; certificate: string }> {
  const identity = readIdentity(endorser);
  const pinned = trust.participants.find(({ org }) => org === identity.mspId)?.endorsers.find(({ cert }) => cert === identity.certificate);
  demand(pinned !== undefined, 'an endorsement is not under a pinned certificate');
  demand(validAt(pinned, time), `the certificate of ${identity.mspId} was not valid then`);
  demand(
    await signatureFits(signature, concat(response, endorser), pinned.jwk, subtle),
    `the endorsement of ${identity.mspId} does not fit`,
  );
  return identity;
}

/** What the head was asked for with: function, the act's id, and the exact JSON text of the arguments. */
function headArgsOf({ args }: Pick<FabricTransaction, 'args'>, { validators }: VerifyDeps): PutHeadArgs {
  const [fn, id, text] = args.map((arg) => exactText(arg, 'arguments'));
  demand(args.length === 3 && fn === 'put-head' && id !== undefined && text !== undefined, 'the transaction is not a head');
  const value = parseBounded(text, headChars, 'verify.payload-malformed', 'put-head-args');
  return validators.check<PutHeadArgs>('put-head-args', value, 'verify.payload-malformed', 'put-head-args');
}

function entryOf(value: Uint8Array, { validators }: VerifyDeps): LedgerEntry {
  const entry = parseCanonical(exactText(value, 'ledger-entry'), headChars, 'ledger-entry');
  return validators.check<LedgerEntry>('ledger-entry', entry, 'verify.payload-malformed', 'ledger-entry');
}

function headOf(value: Uint8Array, deps: VerifyDeps): HeadRecord {
  return deps.validators.check<HeadRecord>('head-record', entryOf(value, deps).record, 'verify.payload-malformed', 'head-record');
}

function exactText(bytes: Uint8Array, where: string): string {
  try {
    return textOf(bytes);
  } catch {
    throw new PortolanError('verify.payload-malformed', where, 'not UTF-8');
  }
}
