import datatypes from './datatypes.json' with { type: 'json' };
import envelope from './envelope.json' with { type: 'json' };
import patient from './patient.json' with { type: 'json' };
import admission from './admission.json' with { type: 'json' };
import insurance from './insurance.json' with { type: 'json' };
import laboratory from './laboratory.json' with { type: 'json' };

/** HL7 v2's own maps, in the order in which they are laid over each other. */
export const hl7v2Maps: Readonly<Record<string, unknown>> = {
  'datatypes.json': datatypes,
  'envelope.json': envelope,
  'patient.json': patient,
  'admission.json': admission,
  'insurance.json': insurance,
  'laboratory.json': laboratory,
};
