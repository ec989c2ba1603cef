import datatypes from './datatypes.json' with { type: 'json' };
import header from './header.json' with { type: 'json' };
import document from './document.json' with { type: 'json' };
import activities from './activities.json' with { type: 'json' };
import allergies from './allergies.json' with { type: 'json' };
import problems from './problems.json' with { type: 'json' };
import medications from './medications.json' with { type: 'json' };
import prescriptions from './prescriptions.json' with { type: 'json' };
import immunizations from './immunizations.json' with { type: 'json' };
import procedures from './procedures.json' with { type: 'json' };
import observations from './observations.json' with { type: 'json' };
import composition from './composition.json' with { type: 'json' };

/** CDA's own maps, in the order in which they are laid over each other. */
export const cdaMaps: Readonly<Record<string, unknown>> = {
  'datatypes.json': datatypes,
  'header.json': header,
  'document.json': document,
  'activities.json': activities,
  'allergies.json': allergies,
  'problems.json': problems,
  'medications.json': medications,
  'prescriptions.json': prescriptions,
  'immunizations.json': immunizations,
  'procedures.json': procedures,
  'observations.json': observations,
  'composition.json': composition,
};
