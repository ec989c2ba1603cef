import { readJws, sha256, treeHash } from './hashing.js';
import type { AnchoredStep, LedgerFacts } from './ledger-facts.js';
import { dataOf, type Story, type TransferData } from './transfer-story.js';
import type { Findings } from './violation.js';

interface CounterReceipt {
  readonly transferId: string;
  readonly from: string;
  readonly to: string;
  readonly predecessor: string;
  readonly ciphertextHash: string;
  readonly outcome: 'received' | 'refused';
}

/** A transfer that ended on both sides and on the channel. */
interface Ended {
  readonly id: string;
  readonly receiver: string;
  readonly released: AnchoredStep;
  readonly end: AnchoredStep;
  readonly receipt: string;
}

/** The counter-receipt: signed by a registered key, over the release that stands, the same at both sides and in the step. */
export function checkReceipt(story: Story, facts: LedgerFacts, findings: Findings): void {
  const { id, asker, custodian, steps } = story;
  const released = steps.get('released');
  const end = steps.get('received') ?? steps.get('refused');
  if (custodian === undefined || released === undefined || end === undefined) return;
  if (!['closed', 'refused'].includes(custodian.row.state)) return;
  const [mine, theirs] = [dataOf(asker), dataOf(custodian)];
  const receipt = theirs?.counterReceipt ?? undefined;
  findings.demand(receipt !== undefined, 4, `transfer ${id}`, 'ended without a counter-receipt at its custodian');
  if (receipt === undefined) return;
  findings.demand(mine?.counterReceipt === receipt, 4, `transfer ${id}`, 'the sides hold different counter-receipts');
  checkKept(id, theirs, released, findings);
  checkWord({ id, receiver: asker.country.code, released, end, receipt }, facts, findings);
}

/** What the custodian keeps of a release is what was anchored. */
function checkKept(id: string, kept: TransferData | undefined, released: AnchoredStep, findings: Findings): void {
  const where = `transfer ${id}`;
  const root = treeHash(kept?.sealed?.hashes ?? []);
  findings.demand(kept?.leaf === released.text, 4, where, 'the custodian keeps another leaf than the channel');
  findings.demand(root === released.leaf.ciphertextHash, 4, where, 'the sealed parts are not those that were anchored');
}

/** The receiver's signed word says what its anchored step says. */
function checkWord({ id, receiver, released, end, receipt }: Ended, facts: LedgerFacts, findings: Findings): void {
  const where = `transfer ${id}`;
  const received = end.leaf.step === 'received';
  findings.demand(!received || end.leaf.receiptHash === sha256(receipt), 4, where, 'the anchored step names another counter-receipt');
  const word = readJws<CounterReceipt>(receipt);
  const key = facts.keys.get(word.header.kid);
  const registered = key?.org === receiver && key.use === 'sign' && word.signedBy(key.jwk);
  findings.demand(registered, 11, where, 'its counter-receipt bears no registered key’s signature');
  const { transferId, outcome, ciphertextHash, predecessor } = word.payload;
  const same = transferId === id && outcome === end.leaf.step && ciphertextHash === released.leaf.ciphertextHash;
  findings.demand(same && predecessor === sha256(released.text), 4, where, 'its counter-receipt speaks of another release');
}
