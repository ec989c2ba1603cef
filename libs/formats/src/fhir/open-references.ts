import type { Addresses } from './addresses.js';
import type { Rewritten } from './copy.js';
import type { Entry } from './entries.js';

/** System of what identifies itself by its address (RFC 3986), as FHIR names it. */
const URIS = 'urn:ietf:rfc:3986';
/** System of a name that holds at its own server alone. */
export const FOREIGN_NAMES = 'urn:portolan:foreign-reference';

/**
 * The identifier by which a reference is kept that leads nowhere in its document: of a conditional one (`Patient?identifier=system|value`, R4
 * §3.1.0.1.4.1) what it asks for, else its address, else its name.
 */
export function identifierFor(reference: string, from: Entry, addresses: Addresses): Rewritten {
  const [, system, value] = /^[A-Z][A-Za-z]+\?identifier=([^|&]+)\|([^|&]+)$/.exec(reference) ?? [];
  if (system !== undefined && value !== undefined) return { kind: 'identifier', system: decoded(system), value: decoded(value) };
  const absolute = addresses.absolute(reference, from);
  if (reference.trim() === '') return { kind: 'none' };
  return { kind: 'identifier', system: /^[a-z][a-z0-9+.-]*:\S+$/i.test(absolute) ? URIS : FOREIGN_NAMES, value: absolute };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
