import { canonicalJson, type AdmitOrganisationArgs, type ChannelConfig, type Instant, type TrustedParticipant } from '@portolan/contracts';
import {
  genesisWrites,
  keyText,
  prepare,
  refusal,
  type Act,
  type Decision,
  type Prepared,
  type Refusal,
  type Values,
  type Write,
} from '@portolan/ledger-rules';
import { textOf, utf8 } from '@portolan/verify';
import { namedByThumbprint, trustIn, type Genesis } from '../chain/genesis.js';
import type { ChainTools } from '../chain/tools.js';
import { configKey } from './records.js';

/**
 * The embedded ledger's channel configuration, which in Fabric is a config update: which organisations there are, and under
 * which governance key each may register the rest by itself. Block 0 takes it from the genesis; later only the governance of
 * the organisation that orders admits one more.
 */
export const admitFn = 'admit-organisation';

/** Rules of the channel, and beside them the one act on its configuration. */
export function prepareAct(act: Act, genesis: Genesis, tools: ChainTools): Prepared | Refusal {
  const { clockWindowMs } = genesis;
  return act.fn === admitFn ? prepareAdmission(act, genesis, tools) : prepare(act, { ...tools, clockWindowMs });
}

/** What the state holds before the first transaction of block 0. */
export function foundingWrites(genesis: Genesis, tools: ChainTools): Write[] {
  return admit([], genesis.organisations, genesis, genesis.time, tools);
}

function prepareAdmission(act: Act, genesis: Genesis, tools: ChainTools): Prepared | Refusal {
  const wrong = admissionMistake(act, genesis, tools);
  if (wrong !== undefined) return wrong;
  const { organisation } = act.args as AdmitOrganisationArgs;
  const reads = admit([], [organisation], genesis, act.time, tools).map(({ key }) => key);
  return { ok: true, reads, decide: (values) => decideAdmission(organisation, values, genesis, act.time, tools) };
}

function admissionMistake({ caller, args }: Act, genesis: Genesis, tools: ChainTools): Refusal | undefined {
  if (caller.role !== 'governance') return refusal('ledger.role-refused', admitFn);
  if (caller.org !== genesis.orderer.org) return refusal('ledger.not-owner', admitFn);
  const mistake = tools.validators.mistake('admit-organisation-args', args);
  if (mistake !== undefined) return refusal('ledger.args-invalid', `${admitFn} ${mistake}`);
  const { organisation } = args as AdmitOrganisationArgs;
  if (organisation.keys.some(({ use }) => use !== 'governance')) return refusal('ledger.args-invalid', `${admitFn} keys`);
  return namedByThumbprint(organisation, tools) ? undefined : refusal('ledger.key-mismatch', admitFn);
}

function decideAdmission(organisation: TrustedParticipant, values: Values, genesis: Genesis, at: Instant, tools: ChainTools): Decision {
  const stored = values.get(keyText(configKey));
  if (stored === undefined || !('bytes' in stored)) return refusal('ledger.record-unknown', admitFn);
  const { organisations } = JSON.parse(textOf(stored.bytes)) as ChannelConfig;
  if (organisations.some(({ org }) => org === organisation.org)) return refusal('ledger.already-written', admitFn);
  if (organisations.length >= 64) return refusal('ledger.args-invalid', `${admitFn} more than 64 organisations`);
  return { ok: true, writes: admit(organisations, [organisation], genesis, at, tools) };
}

function admit(
  before: ChannelConfig['organisations'],
  fresh: readonly TrustedParticipant[],
  genesis: Genesis,
  at: Instant,
  tools: ChainTools,
): Write[] {
  const config: ChannelConfig = { v: 1, organisations: [...before, ...fresh.map(({ org, kind }) => ({ org, kind }))] };
  return [...genesisWrites(trustIn(genesis, fresh, tools), at), { key: configKey, bytes: utf8(canonicalJson(config)), again: true }];
}
