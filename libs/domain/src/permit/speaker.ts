import { PortolanError, type Actor, type BusinessIdentifier } from '@portolan/contracts';
import type { Principal } from '../access/token.port.js';
import type { Person } from '../store/edge-tx.port.js';
import { SELF_ROLE, type Speaker } from './own-word.decide.js';

const bears = ({ identifiers }: Pick<Person, 'identifiers'>, { system, value }: BusinessIdentifier): boolean =>
  identifiers.some((one) => one.system === system && one.value === value);

/** As what somebody who is logged in speaks of a record: as the person herself, as her proxy, or as nobody. */
export function speakerFor(principal: Principal, person: Pick<Person, 'identifiers'>): Speaker | undefined {
  const { kind, personIdentifier, represents = [] } = principal;
  if (kind !== 'person' || personIdentifier === undefined) return undefined;
  if (bears(person, personIdentifier)) return 'herself';
  return represents.find((one) => bears(person, one.person))?.relationship;
}

/** The speaker as audit trail and feed name her. Throws `access.token-invalid` for a token that names no person. */
export function speakingActor({ personIdentifier, name }: Principal, speaker: Speaker): Actor {
  if (personIdentifier === undefined) throw new PortolanError('access.token-invalid', 'access token', 'ptl_person');
  const self = { system: 'urn:portolan:self', value: 'self' };
  return speaker === 'herself'
    ? {
        kind: 'person',
        name: name ?? 'The person',
        id: personIdentifier,
        role: SELF_ROLE,
        organisation: { id: self, name: 'The person herself' },
      }
    : {
        kind: 'person',
        name: name ?? 'A proxy',
        id: personIdentifier,
        role: speaker,
        organisation: { id: self, name: 'For the person, as her proxy' },
      };
}
