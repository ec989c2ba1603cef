import { SEARCHABLE_TYPES, STORED_INTERACTIONS, type Interaction, type ResourceType } from '@portolan/domain';

/** Read by id, found through what refers to them. */
const READ_ONLY = [
  'PractitionerRole',
  'Location',
  'Device',
  'Medication',
  'MedicationDispense',
  'ImagingStudy',
  'Flag',
  'DeviceUseStatement',
  'Claim',
  'ExplanationOfBenefit',
  'Linkage',
] as const satisfies readonly ResourceType[];

/** Audit events are shown to the person and the regulator, at their own doors. */
const searched = SEARCHABLE_TYPES.filter((type) => type !== 'AuditEvent');

/** What the node does with each type that it stores. */
export const STORED: Readonly<Partial<Record<ResourceType, readonly Interaction[]>>> = {
  ...Object.fromEntries(searched.map((type) => [type, STORED_INTERACTIONS])),
  ...Object.fromEntries(READ_ONLY.map((type) => [type, STORED_INTERACTIONS.filter((one) => one !== 'search-type')])),
};

export const isReadable = (type: string): type is ResourceType => Object.hasOwn(STORED, type);
