import datatypes from './datatypes.json' with { type: 'json' };
import envelope from './envelope.json' with { type: 'json' };
import patient from './patient.json' with { type: 'json' };
import admission from './admission.json' with { type: 'json' };
import insurance from './insurance.json' with { type: 'json' };
import laboratory from './laboratory.json' with { type: 'json' };
import appointments from './appointments.json' with { type: 'json' };
import documents from './documents.json' with { type: 'json' };
import medicines from './medicines.json' with { type: 'json' };
import merges from './merges.json' with { type: 'json' };
import problems from './problems.json' with { type: 'json' };

/** HL7 v2's own maps, in the order in which they are laid over each other. */
export const hl7v2Maps: Readonly<Record<string, unknown>> = {
  'datatypes.json': datatypes,
  'envelope.json': envelope,
  'patient.json': patient,
  'admission.json': admission,
  'insurance.json': insurance,
  'laboratory.json': laboratory,
  'appointments.json': appointments,
  'documents.json': documents,
  'medicines.json': medicines,
  'merges.json': merges,
  'problems.json': problems,
};
