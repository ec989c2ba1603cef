import type { BusinessIdentifier } from '@portolan/contracts';

/** An organisation whose systems send, and the identifier systems in which it gives persons and stays their numbers. */
export interface Assigner {
  readonly organisation: Pick<BusinessIdentifier, 'system' | 'value'>;
  readonly assigns?: readonly string[];
}

/**
 * Whether a number is given by other organisations than the sender's: which person bears it is theirs to say. A number that nobody declares, as
 * a national one, is anybody's; what several declare, as a house and the index that joins for it, is each one's.
 */
export function isAssignedElsewhere({ system }: BusinessIdentifier, sender: Assigner | undefined, sources: readonly Assigner[]): boolean {
  const assigners = sources.filter(({ assigns }) => assigns?.includes(system));
  return assigners.length > 0 && !assigners.some(({ organisation }) => isSame(organisation, sender?.organisation));
}

/** Whether the sender's organisation says that it gives numbers of this system, such as those of its stays: others only repeat them. */
export function isAssignedHere(
  { system }: { readonly system?: unknown },
  sender: Assigner | undefined,
  sources: readonly Assigner[],
): boolean {
  return sources.some(
    ({ organisation, assigns = [] }) => assigns.some((one) => one === system) && isSame(organisation, sender?.organisation),
  );
}

const isSame = (a: Assigner['organisation'], b: Assigner['organisation'] | undefined): boolean =>
  a.system === b?.system && a.value === b.value;
