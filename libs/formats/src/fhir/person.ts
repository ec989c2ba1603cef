import { isFhirObject, type FhirObject } from '../engine/index.js';
import { identifierKey } from '../identifier-key.js';
import { Addresses, typeNamed } from './addresses.js';
import { objectsOf, textOf, type Entry, type TakenApart } from './entries.js';
import { compositionOf } from './header.js';

/** The person whom a document is about. */
export interface Person {
  /** Her Patient: the one that the Composition names, else the only one; undefined where there is none or several. */
  readonly entry: Entry | undefined;
  readonly identifiers: ReadonlySet<string>;
}

export function personOf(document: TakenApart): Person {
  const entry = patientOf(document);
  const identifiers = new Set(objectsOf(entry?.resource['identifier']).map(identifierKey));
  return { entry, identifiers };
}

function patientOf(document: TakenApart): Entry | undefined {
  const { entries } = document;
  const composition = compositionOf(document);
  const subject = composition?.resource['subject'];
  if (composition !== undefined && isFhirObject(subject))
    return new Addresses(entries).find(textOf(subject['reference']) ?? '', composition);
  const [patient, ...others] = entries.filter(({ type }) => type === 'Patient');
  return others.length === 0 ? patient : undefined;
}

/** Elements of R4 that say whose a resource is. */
const owners = ['subject', 'patient', 'beneficiary', 'for'] as const;

/** Where a resource says that it is about somebody else than the person of the document; undefined where it does not. */
export function isOfAnother(entry: Entry, person: Person, addresses: Addresses): string | undefined {
  const { entry: patient, identifiers } = person;
  if (patient === undefined) return undefined;
  const name = owners.find((one) => {
    const owner = entry.resource[one];
    return isFhirObject(owner) && !isHers(owner, entry, { patient, identifiers }, addresses);
  });
  return name === undefined ? undefined : `${entry.node.path}.${name}`;
}

interface Known {
  readonly patient: Entry;
  readonly identifiers: ReadonlySet<string>;
}

function isHers(owner: FhirObject, entry: Entry, person: Known, addresses: Addresses): boolean {
  const reference = textOf(owner['reference']);
  if (reference === undefined) {
    const { identifier } = owner;
    return !isFhirObject(identifier) || person.identifiers.size === 0 || person.identifiers.has(identifierKey(identifier));
  }
  if (reference.startsWith('#')) return true;
  const target = addresses.find(reference, entry);
  if (target !== undefined) return target.type !== 'Patient' || target === person.patient;
  const type = textOf(owner['type']) ?? typeNamed(reference);
  return type !== undefined && type !== 'Patient';
}
