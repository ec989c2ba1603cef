import type { BlockHeader, BlockResults, EmbeddedReceipt, EmbeddedTrust, LedgerTransaction, PutHeadArgs } from '@portolan/contracts';
import { sha256Hex, utf8 } from '../bytes/bytes.js';
import { decodeJws, jwsHash, parseCanonical, payloadOf, verifyJws } from '../jws/jws.js';
import { verifyInclusion } from '../merkle/proofs.js';
import { leafHash } from '../merkle/tree.js';
import { checkCiphertext, checkCounterReceipt, checkOpening } from './disclosures.js';
import { checkLeaf, checkLeafInBatch } from './leaf-in-batch.js';
import { leafOf } from './leaf.js';
import { demand, type ReceiptCheck, type VerifyDeps } from './report.js';
import { pinnedCountries, trustedKey } from './trust.js';

/** The chain of an embedded receipt, from the leaf up to the countries' signatures, then what its holder disclosed. */
export const embeddedChecks: readonly ReceiptCheck<EmbeddedReceipt, EmbeddedTrust>[] = [
  { step: 'trust', run: checkTrust },
  { step: 'leaf', run: checkLeaf },
  { step: 'leaf-in-batch', run: checkLeafInBatch },
  { step: 'batch-in-head', run: checkBatchInHead },
  { step: 'head-signature', run: checkHeadSignature },
  { step: 'head-in-block', run: checkHeadInBlock },
  { step: 'header-signature', run: checkHeaderSignature },
  { step: 'head-valid', run: checkHeadValid },
  { step: 'attestations', run: checkAttestations },
  { step: 'ciphertext-hash', run: checkCiphertext },
  { step: 'commitment-opening', run: checkOpening },
  { step: 'counter-receipt', run: checkCounterReceipt },
];

const transactionOf = (receipt: EmbeddedReceipt, { validators }: VerifyDeps): LedgerTransaction =>
  payloadOf(decodeJws(receipt.head.transaction), 'ledger-transaction', validators);
const headerOf = (receipt: EmbeddedReceipt, { validators }: VerifyDeps): BlockHeader =>
  payloadOf(decodeJws(receipt.header), 'block-header', validators);

function checkTrust(receipt: EmbeddedReceipt, trust: EmbeddedTrust): string {
  demand(receipt.channel === trust.channel, `the receipt is of another channel than the pinned ${trust.channel}`);
  const { numerator, denominator } = trust.threshold;
  demand(numerator <= denominator && pinnedCountries(trust).length > 0, 'the trust file pins no country, or asks for more than all');
  return `channel ${trust.channel}, ${pinnedCountries(trust).length} pinned countries`;
}

function checkBatchInHead(receipt: EmbeddedReceipt, _: EmbeddedTrust, deps: VerifyDeps): string {
  const { fn, org, args } = transactionOf(receipt, deps);
  const { by } = leafOf(receipt.leaf, deps.validators);
  demand(fn === 'put-head', 'the transaction is not a head');
  const head = deps.validators.check<PutHeadArgs>('put-head-args', args, 'verify.payload-malformed', 'put-head-args');
  demand(org === by && head.org === by, 'the head is not of the country that anchored the step');
  const { n, root, count } = receipt.batch;
  demand(
    head.batches.some((b) => b.n === n && b.root === root && b.count === count),
    'the head does not repeat this batch root',
  );
  return `batch ${n} in head ${head.seq} of ${by}`;
}

async function checkHeadSignature(receipt: EmbeddedReceipt, trust: EmbeddedTrust, deps: VerifyDeps): Promise<string> {
  const { org, role, channel, time } = transactionOf(receipt, deps);
  demand(role === 'notary' && channel === trust.channel, "the head is not a notary's transaction on this channel");
  const { kid } = decodeJws(receipt.head.transaction).header;
  await verifyJws(receipt.head.transaction, trustedKey(trust, org, kid, 'ledger', time), deps.subtle, 'transaction');
  return `signed by ${org}`;
}

function checkHeadInBlock(receipt: EmbeddedReceipt, _: EmbeddedTrust, deps: VerifyDeps): string {
  const { number, txRoot: root, count: size } = headerOf(receipt, deps);
  const { transaction, index, path } = receipt.head;
  const proved = verifyInclusion({ leafHash: leafHash(utf8(transaction), deps.sha256), index, size, path, root }, deps.sha256);
  demand(proved, 'the path does not lead to the transaction root of the block');
  return `transaction ${index} of ${size} in block ${number}`;
}

async function checkHeaderSignature(receipt: EmbeddedReceipt, trust: EmbeddedTrust, deps: VerifyDeps): Promise<string> {
  const { channel, number } = headerOf(receipt, deps);
  demand(channel === trust.channel, 'the block is of another channel');
  demand(decodeJws(receipt.header).header.kid === trust.orderer.kid, 'the block is not signed under the pinned key of the orderer');
  await verifyJws(receipt.header, trust.orderer.jwk, deps.subtle, 'block-header');
  return `block ${number} signed by the orderer ${trust.orderer.org}`;
}

/** A transaction in a block may have been refused; the countries signed over what became of it. */
function checkHeadValid(receipt: EmbeddedReceipt, _: EmbeddedTrust, deps: VerifyDeps): string {
  const value = parseCanonical(receipt.results, 131_072, 'results');
  const { number, results } = deps.validators.check<BlockResults>('block-results', value, 'verify.payload-malformed', 'results');
  const header = headerOf(receipt, deps);
  demand(number === header.number && results.length === header.count, 'the results are not those of the block');
  const result = results[receipt.head.index];
  demand(result?.txId === transactionOf(receipt, deps).id, 'the results do not name the head');
  demand(result.valid, 'the head was refused');
  return 'the head was executed as valid';
}

/** Every attestation that the receipt brings must hold, from different countries, and enough of the pinned ones. */
async function checkAttestations(receipt: EmbeddedReceipt, trust: EmbeddedTrust, deps: VerifyDeps): Promise<string> {
  const expected = {
    header: headerOf(receipt, deps),
    headerHash: jwsHash(receipt.header, deps.sha256),
    resultsHash: sha256Hex(receipt.results, deps.sha256),
  };
  const seen = new Set<string>();
  const states = new Set<string>();
  for (const compact of receipt.attestations) {
    const { org, stateHash } = await attested(compact, expected, trust, deps);
    demand(!seen.has(org), `${org} attests twice`);
    seen.add(org);
    states.add(stateHash);
  }
  demand(states.size === 1, 'the countries do not attest the same state');
  const countries = pinnedCountries(trust).length;
  const { numerator, denominator } = trust.threshold;
  demand(
    seen.size * denominator >= countries * numerator,
    `${seen.size} of ${countries} countries are fewer than ${numerator}/${denominator}`,
  );
  return `${seen.size} of ${countries} countries: ${[...seen].join(', ')}`;
}

interface Expected {
  readonly header: BlockHeader;
  readonly headerHash: string;
  readonly resultsHash: string;
}

async function attested(
  compact: string,
  expected: Expected,
  trust: EmbeddedTrust,
  deps: VerifyDeps,
): Promise<{ org: string; stateHash: string }> {
  const jws = decodeJws(compact);
  const { org, channel, number, headerHash, resultsHash, stateHash } = payloadOf(jws, 'block-attestation', deps.validators);
  demand(pinnedCountries(trust).includes(org), 'an attestation is not of a pinned country');
  demand(channel === trust.channel && number === expected.header.number, `${org} attests another block`);
  demand(headerHash === expected.headerHash, `${org} attests another header`);
  demand(resultsHash === expected.resultsHash, `${org} attests other results`);
  await verifyJws(compact, trustedKey(trust, org, jws.header.kid, 'ledger', expected.header.time), deps.subtle, 'attestation');
  return { org, stateHash };
}
