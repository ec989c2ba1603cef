import addressUse from './address-use.json' with { type: 'json' };
import allergyCategory from './allergy-category.json' with { type: 'json' };
import allergySeverity from './allergy-severity.json' with { type: 'json' };
import allergyStatus from './allergy-status.json' with { type: 'json' };
import allergyType from './allergy-type.json' with { type: 'json' };
import codeSystems from './code-systems.json' with { type: 'json' };
import criticality from './criticality.json' with { type: 'json' };
import eventTiming from './event-timing.json' with { type: 'json' };
import gender from './gender.json' with { type: 'json' };
import immunizationStatus from './immunization-status.json' with { type: 'json' };
import dispenseStatus from './dispense-status.json' with { type: 'json' };
import medicationStatus from './medication-status.json' with { type: 'json' };
import nameUse from './name-use.json' with { type: 'json' };
import observationStatus from './observation-status.json' with { type: 'json' };
import periodUnit from './period-unit.json' with { type: 'json' };
import problemStatus from './problem-status.json' with { type: 'json' };
import procedureStatus from './procedure-status.json' with { type: 'json' };
import reportStatus from './report-status.json' with { type: 'json' };
import telecomSystems from './telecom-systems.json' with { type: 'json' };
import telecomUse from './telecom-use.json' with { type: 'json' };
import deviceUseStatus from './device-use-status.json' with { type: 'json' };
import encounterStatus from './encounter-status.json' with { type: 'json' };
import familyStatus from './family-status.json' with { type: 'json' };
import goalStatus from './goal-status.json' with { type: 'json' };
import intent from './intent.json' with { type: 'json' };
import medicationRequestStatus from './medication-request-status.json' with { type: 'json' };
import relatedDocument from './related-document.json' with { type: 'json' };
import requestStatus from './request-status.json' with { type: 'json' };
import death from './death.json' with { type: 'json' };
import notDone from './not-done.json' with { type: 'json' };
import requestPriority from './request-priority.json' with { type: 'json' };
import alertStatus from './alert-status.json' with { type: 'json' };
import allergyCertainty from './allergy-certainty.json' with { type: 'json' };
import problemCertainty from './problem-certainty.json' with { type: 'json' };
import emptyReason from './empty-reason.json' with { type: 'json' };

/** CDA's own concept maps. */
export const cdaCodeMaps: Readonly<Record<string, unknown>> = {
  'address-use.json': addressUse,
  'allergy-category.json': allergyCategory,
  'allergy-severity.json': allergySeverity,
  'allergy-status.json': allergyStatus,
  'allergy-type.json': allergyType,
  'code-systems.json': codeSystems,
  'criticality.json': criticality,
  'event-timing.json': eventTiming,
  'gender.json': gender,
  'immunization-status.json': immunizationStatus,
  'dispense-status.json': dispenseStatus,
  'medication-status.json': medicationStatus,
  'name-use.json': nameUse,
  'observation-status.json': observationStatus,
  'period-unit.json': periodUnit,
  'problem-status.json': problemStatus,
  'procedure-status.json': procedureStatus,
  'report-status.json': reportStatus,
  'telecom-systems.json': telecomSystems,
  'telecom-use.json': telecomUse,
  'device-use-status.json': deviceUseStatus,
  'encounter-status.json': encounterStatus,
  'family-status.json': familyStatus,
  'goal-status.json': goalStatus,
  'intent.json': intent,
  'medication-request-status.json': medicationRequestStatus,
  'related-document.json': relatedDocument,
  'request-status.json': requestStatus,
  'death.json': death,
  'not-done.json': notDone,
  'request-priority.json': requestPriority,
  'problem-certainty.json': problemCertainty,
  'empty-reason.json': emptyReason,
  'allergy-certainty.json': allergyCertainty,
  'alert-status.json': alertStatus,
};
