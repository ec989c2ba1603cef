import { PortolanError, type RequestEmergency } from '@portolan/contracts';
import type { AskCommand } from '../messages/role-messages.js';
import type { EmergencyRow } from '../store/exchange-tx.port.js';
import type { ExchangePorts, Transfer } from '../transfer/exchange.ports.js';

/** A declaration that was sent before the request may be handled after it; and its act may take so long to stand on our own copy. */
const DECLARATION_WAIT_MS = 10_000;
const ANCHOR_WAIT_MS = 60_000;

/**
 * The emergency that a command names, as we declared it. It is asked under once it stands on our own copy, or once the channel cannot be
 * reached. Throws `request.emergency-not-visible` (to be tried again) and `request.emergency-not-declared`.
 */
export async function declaredEmergency(
  command: AskCommand,
  transfer: Transfer,
  ports: ExchangePorts,
): Promise<RequestEmergency | undefined> {
  const { emergency: named, country } = command;
  if (named === undefined) return undefined;
  const now = ports.clock.now();
  const waited = now - Date.parse(transfer.createdAt);
  const own = await ports.uow.run((tx) => tx.emergencies.get(named.id));
  if (own === undefined) throw waitUntil(DECLARATION_WAIT_MS, waited);
  if (!isLive(own, country, now)) throw new PortolanError('request.emergency-not-declared', 'request/ask');
  const us = ports.country.code;
  const { is } = await ports.channel.emergency(named.id, us, country, us);
  if (is === 'over') throw new PortolanError('request.emergency-not-declared', 'request/ask');
  if (is === 'unknown' && (await ports.channel.reachable())) throw waitUntil(ANCHOR_WAIT_MS, waited);
  return { ...named, declared: own.declared, until: own.until };
}

/** Declared by us to ask this country, not ended, within its limit. */
export const isLive = (own: EmergencyRow | undefined, custodian: string, now: number): own is EmergencyRow =>
  own?.state === 'declared' && own.custodian === custodian && Date.parse(own.until) > now;

const waitUntil = (patience: number, waited: number): PortolanError =>
  new PortolanError(waited < patience ? 'request.emergency-not-visible' : 'request.emergency-not-declared', 'request/ask');
