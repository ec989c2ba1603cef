import type { BusinessIdentifier, CountryCode } from '@portolan/contracts';
import type { DemoAccount } from '@portolan/openid';

/** A person of the demonstration; nobody of these exists. */
export interface DemoPerson {
  /** Account at the country's demo provider. */
  readonly id: string;
  readonly country: CountryCode;
  readonly name: string;
  readonly family: string;
  readonly identifier: BusinessIdentifier;
  readonly birthDate: string;
  /** For whom she speaks, as her provider attests. */
  readonly represents?: readonly { readonly person: BusinessIdentifier; readonly relationship: 'PRN' | 'GUARD' }[];
}

/** A clinician of the demonstration, who acts through a hospital's system. */
export interface DemoClinician {
  readonly id: string;
  readonly country: CountryCode;
  readonly name: string;
  readonly role: string;
  readonly nationalId: BusinessIdentifier;
  readonly organisation: { readonly id: BusinessIdentifier; readonly name: string };
}

const eePin = 'urn:oid:1.3.6.1.4.1.28284.6.2.2.1';
const dePin = 'http://fhir.de/sid/gkv/kvid-10';
const bePin = 'https://www.ehealth.fgov.be/standards/fhir/core/NamingSystem/ssin';
const ptPin = 'urn:oid:2.16.620.1.101.10.1.2';

/** A child, for whom Mari speaks. */
export const juku: DemoPerson = {
  id: 'juku',
  country: 'EE',
  name: 'Juku Näidis',
  family: 'Näidis',
  identifier: { system: eePin, value: '51505050055' },
  birthDate: '2015-05-05',
};
export const mari: DemoPerson = {
  id: 'mari',
  country: 'EE',
  name: 'Mari Näidis',
  family: 'Näidis',
  identifier: { system: eePin, value: '47101010033' },
  birthDate: '1971-01-01',
  represents: [{ person: juku.identifier, relationship: 'PRN' }],
};
export const ana: DemoPerson = {
  id: 'ana',
  country: 'PT',
  name: 'Ana Exemplo',
  family: 'Exemplo',
  identifier: { system: ptPin, value: '999000001' },
  birthDate: '1980-02-29',
};
export const jan: DemoPerson = {
  id: 'jan',
  country: 'BE',
  name: 'Jan Voorbeeld',
  family: 'Voorbeeld',
  identifier: { system: bePin, value: '71010100033' },
  birthDate: '1971-01-01',
};
export const erika: DemoPerson = {
  id: 'erika',
  country: 'DE',
  name: 'Erika Beispiel',
  family: 'Beispiel',
  identifier: { system: dePin, value: 'X000000001' },
  birthDate: '1964-08-12',
};
export const otto: DemoPerson = {
  id: 'otto',
  country: 'DE',
  name: 'Otto Ohneweg',
  family: 'Ohneweg',
  identifier: { system: dePin, value: 'X000000002' },
  birthDate: '1955-11-03',
};

export const demoPersons: readonly DemoPerson[] = [mari, juku, ana, jan, erika, otto];

const clinician = (country: CountryCode, id: string, name: string, value: string, hospital: string): DemoClinician => {
  const cc = country.toLowerCase();
  return {
    id,
    country,
    name,
    role: 'doctor',
    nationalId: { system: `urn:portolan:demo:${cc}:professional`, value },
    organisation: { id: { system: `urn:portolan:demo:${cc}:organisation`, value: hospital }, name: `Demo hospital ${country}` },
  };
};

export const demoClinicians: Readonly<Record<CountryCode, DemoClinician>> = {
  EE: clinician('EE', 'doctor-ee', 'Dr Peeter Proov', 'D00001', 'hospital-1'),
  PT: clinician('PT', 'doctor-pt', 'Dra. Rita Ensaio', 'OM00001', 'hospital-1'),
  BE: clinician('BE', 'doctor-be', 'Dr. Lotte Staal', '10000001', 'hospital-1'),
  DE: clinician('DE', 'doctor-de', 'Dr. Max Probe', '100000001', 'hospital-1'),
};

const personAccount = ({ id, name, identifier, represents }: DemoPerson): DemoAccount => ({
  id,
  name,
  kind: 'person',
  person: identifier,
  ...(represents === undefined
    ? {}
    : { claims: { ptl_represents: represents.map(({ person, relationship }) => ({ ...person, relationship })) } }),
});

/** Accounts of one country's demo provider. */
export const accountsOf = (country: CountryCode, persons: readonly DemoPerson[]): DemoAccount[] => [
  ...persons.filter((person) => person.country === country).map(personAccount),
  { id: 'regulator', name: `Regulator, ${country}`, kind: 'regulator' },
  { id: 'operator', name: `Operator, ${country}`, kind: 'operator' },
];
