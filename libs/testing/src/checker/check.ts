import { checkCanaries } from './check-canaries.js';
import { Country, type CheckedWorld } from './checked-world.js';
import { checkChannel, checkNotary } from './check-ledger.js';
import { checkLog } from './check-log.js';
import { checkEnvelopes, checkRoleMessages } from './check-messages.js';
import { checkInput, checkPermits, checkResources, checkViews } from './check-records.js';
import { checkTransfers } from './check-transfers.js';
import type { JudgedLedger } from './judged-ledger.js';
import { judgeEmbedded } from './judge-embedded.js';
import { judgeFabric } from './fabric/check-fabric.js';
import { unsettled } from './unsettled.js';
import { Findings, type Violation } from './violation.js';

/**
 * Whether the invariants of design.md hold, read from outside: databases, inboxes, ledger copies. It shares no code with the nodes, so that a
 * mistake of theirs is not repeated here. The world must be at rest; what is not is a violation too. Changes nothing.
 */
export async function check(world: CheckedWorld): Promise<readonly Violation[]> {
  const findings = new Findings();
  for (const line of await unsettled(world)) findings.demand(false, 4, line, 'is not at rest');
  const countries = await Promise.all(world.countries.map((country) => Country.read(world, country)));
  const judged = await judge(world, countries, findings);
  const { facts } = judged;
  checkTransfers(countries, facts, findings);
  checkEnvelopes(countries, world.forged ?? new Map(), findings);
  for (const country of countries) {
    checkNotary(country, facts, findings);
    checkRoleMessages(country, findings);
    checkLog(country, facts, findings);
    checkInput(country, findings);
    checkResources(country, findings);
    checkViews(country, facts, Date.now(), findings);
    checkPermits(country, facts, findings);
  }
  await checkCanaries(world, judged.texts, findings);
  return findings.violations;
}

/** What the ledger alone shows: its copies by themselves and against each other, and what stands on the channel. */
export async function checkLedger(world: CheckedWorld): Promise<readonly Violation[]> {
  const findings = new Findings();
  const countries = await Promise.all(world.countries.map((country) => Country.read(world, country)));
  await judge(world, countries, findings);
  return findings.violations;
}

async function judge({ ledger }: CheckedWorld, countries: readonly Country[], findings: Findings): Promise<JudgedLedger> {
  const judged =
    ledger.kind === 'embedded' ? await judgeEmbedded(ledger, countries, findings) : await judgeFabric(ledger, countries, findings);
  checkChannel(judged, findings);
  return judged;
}
