import type { AdmitOrganisationArgs } from '@portolan/contracts';
import { thumbprint } from '@portolan/verify';
import { prepareRule, type Act, type ExecuteDeps, type Prepared } from '../execute.js';
import { refusal, type Refusal, type Rule, type Scene, type StateKey, type Write } from '../rule.js';
import { keysOf, names, recordWrites } from '../state.js';
import type { Claim } from './signer.js';

/** The act by which an organisation that a channel's configuration lists, and the registry does not yet, registers itself. */
export const foundingFn = 'found-organisation';

/**
 * On a channel whose configuration says who may take part (Fabric), the configuration admits an organisation and its own
 * governance founds it: participant and governance keys at once, signed with one of these keys. From then on `signerOf`
 * believes registered keys alone. Write-once like every record, so an organisation that has left cannot begin again.
 */
export function prepareFounding(act: Act, claim: Claim, deps: ExecuteDeps): Prepared | Refusal {
  const prepared = prepareRule(foundOrganisation, act, deps);
  if (!prepared.ok) return prepared;
  const { keys } = (act.args as AdmitOrganisationArgs).organisation;
  return keys.some(({ kid }) => kid === claim.kid) ? prepared : refusal('ledger.key-mismatch', `${foundingFn} signer`);
}

const foundOrganisation: Rule<AdmitOrganisationArgs> = {
  name: foundingFn,
  schema: 'admit-organisation-args',
  maxChars: 32_768,
  role: 'governance',
  reads: ({ organisation: { org, keys } }): StateKey[] =>
    [names.participant(org), ...keys.map(({ kid }) => names.key(org, kid))].flatMap(keysOf),
  decide: (args, scene) => mistake(args, scene) ?? { ok: true, writes: foundingWrites(args, scene) },
};

function mistake({ organisation: { org, keys } }: AdmitOrganisationArgs, { caller, sha256 }: Scene): Refusal | undefined {
  if (org !== caller.org) return refusal('ledger.not-owner', foundingFn);
  if (keys.some(({ use, ended }) => use !== 'governance' || ended !== undefined))
    return refusal('ledger.args-invalid', `${foundingFn} keys`);
  return keys.every(({ kid, jwk }) => kid === thumbprint(jwk, sha256)) ? undefined : refusal('ledger.key-mismatch', `${foundingFn} keys`);
}

function foundingWrites({ organisation: { org, kind, keys } }: AdmitOrganisationArgs, { time }: Scene): Write[] {
  const registered = keys.map(({ kid, use, jwk, notBefore, notAfter }) =>
    recordWrites(names.key(org, kid), { v: 1, org, kid, use, jwk, notBefore, notAfter }, time),
  );
  return [recordWrites(names.participant(org), { v: 1, org, kind }, time), ...registered].flat();
}
