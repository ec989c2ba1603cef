import allergyCertainty from './allergy-certainty.json' with { type: 'json' };
import allergyLifecycle from './allergy-lifecycle.json' with { type: 'json' };
import codeSystems from './code-systems.json' with { type: 'json' };
import dayPeriod from './day-period.json' with { type: 'json' };
import idSystems from './id-systems.json' with { type: 'json' };
import lifecycleVerification from './lifecycle-verification.json' with { type: 'json' };
import medicationLifecycle from './medication-lifecycle.json' with { type: 'json' };
import periodUnit from './period-unit.json' with { type: 'json' };
import period from './period.json' with { type: 'json' };
import problemCertainty from './problem-certainty.json' with { type: 'json' };
import problemLifecycle from './problem-lifecycle.json' with { type: 'json' };
import sex from './sex.json' with { type: 'json' };
import telecom from './telecom.json' with { type: 'json' };
import weekday from './weekday.json' with { type: 'json' };

/** KMEHR's own concept maps. */
export const kmehrCodeMaps: Readonly<Record<string, unknown>> = {
  'allergy-certainty.json': allergyCertainty,
  'allergy-lifecycle.json': allergyLifecycle,
  'code-systems.json': codeSystems,
  'day-period.json': dayPeriod,
  'id-systems.json': idSystems,
  'lifecycle-verification.json': lifecycleVerification,
  'medication-lifecycle.json': medicationLifecycle,
  'period-unit.json': periodUnit,
  'period.json': period,
  'problem-certainty.json': problemCertainty,
  'problem-lifecycle.json': problemLifecycle,
  'sex.json': sex,
  'telecom.json': telecom,
  'weekday.json': weekday,
};
