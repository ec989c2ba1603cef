import addressType from './address-type.json' with { type: 'json' };
import addressUse from './address-use.json' with { type: 'json' };
import administrativeSex from './administrative-sex.json' with { type: 'json' };
import allergyCategory from './allergy-category.json' with { type: 'json' };
import allergyClinicalStatus from './allergy-clinical-status.json' with { type: 'json' };
import allergyCriticality from './allergy-criticality.json' with { type: 'json' };
import allergyType from './allergy-type.json' with { type: 'json' };
import codingSystems from './coding-systems.json' with { type: 'json' };
import diagnosisDeleted from './diagnosis-deleted.json' with { type: 'json' };
import diagnosisUse from './diagnosis-use.json' with { type: 'json' };
import encounterClass from './encounter-class.json' with { type: 'json' };
import encounterPriority from './encounter-priority.json' with { type: 'json' };
import encounterStatus from './encounter-status.json' with { type: 'json' };
import eventStatus from './event-status.json' with { type: 'json' };
import imagingSections from './imaging-sections.json' with { type: 'json' };
import interpretationCodes from './interpretation-codes.json' with { type: 'json' };
import laboratorySections from './laboratory-sections.json' with { type: 'json' };
import { languageCodes } from './language-codes.js';
import maritalStatus from './marital-status.json' with { type: 'json' };
import nameUse from './name-use.json' with { type: 'json' };
import observationNotAsked from './observation-not-asked.json' with { type: 'json' };
import observationStatus from './observation-status.json' with { type: 'json' };
import orderPriority from './order-priority.json' with { type: 'json' };
import orderStatus from './order-status.json' with { type: 'json' };
import relationship from './relationship.json' with { type: 'json' };
import reportStatus from './report-status.json' with { type: 'json' };
import specimenAvailability from './specimen-availability.json' with { type: 'json' };
import telecomMobile from './telecom-mobile.json' with { type: 'json' };
import telecomSystem from './telecom-system.json' with { type: 'json' };
import telecomUse from './telecom-use.json' with { type: 'json' };
import yesNo from './yes-no.json' with { type: 'json' };
import administrationCompletion from './administration-completion.json' with { type: 'json' };
import appointmentEvent from './appointment-event.json' with { type: 'json' };
import appointmentStatus from './appointment-status.json' with { type: 'json' };
import documentAvailability from './document-availability.json' with { type: 'json' };
import documentCompletion from './document-completion.json' with { type: 'json' };
import documentContent from './document-content.json' with { type: 'json' };
import durationUnits from './duration-units.json' with { type: 'json' };
import eventTiming from './event-timing.json' with { type: 'json' };
import medicationControlStatus from './medication-control-status.json' with { type: 'json' };
import medicationOrderStatus from './medication-order-status.json' with { type: 'json' };
import participationStatus from './participation-status.json' with { type: 'json' };
import problemDeleted from './problem-deleted.json' with { type: 'json' };
import problemStatus from './problem-status.json' with { type: 'json' };
import weekDays from './week-days.json' with { type: 'json' };
import orderControlStatus from './order-control-status.json' with { type: 'json' };
import unknownReason from './unknown-reason.json' with { type: 'json' };

/** HL7 v2's own concept maps; their notices stand in the files. */
export const hl7v2CodeMaps: Readonly<Record<string, unknown>> = {
  'address-type.json': addressType,
  'address-use.json': addressUse,
  'administrative-sex.json': administrativeSex,
  'allergy-category.json': allergyCategory,
  'allergy-clinical-status.json': allergyClinicalStatus,
  'allergy-criticality.json': allergyCriticality,
  'allergy-type.json': allergyType,
  'coding-systems.json': codingSystems,
  'diagnosis-deleted.json': diagnosisDeleted,
  'diagnosis-use.json': diagnosisUse,
  'encounter-class.json': encounterClass,
  'encounter-priority.json': encounterPriority,
  'encounter-status.json': encounterStatus,
  'event-status.json': eventStatus,
  'interpretation-codes.json': interpretationCodes,
  'imaging-sections.json': imagingSections,
  'laboratory-sections.json': laboratorySections,
  'language-codes.json': languageCodes,
  'marital-status.json': maritalStatus,
  'name-use.json': nameUse,
  'observation-not-asked.json': observationNotAsked,
  'observation-status.json': observationStatus,
  'order-priority.json': orderPriority,
  'order-status.json': orderStatus,
  'relationship.json': relationship,
  'report-status.json': reportStatus,
  'specimen-availability.json': specimenAvailability,
  'telecom-mobile.json': telecomMobile,
  'telecom-system.json': telecomSystem,
  'telecom-use.json': telecomUse,
  'yes-no.json': yesNo,
  'administration-completion.json': administrationCompletion,
  'appointment-event.json': appointmentEvent,
  'appointment-status.json': appointmentStatus,
  'document-availability.json': documentAvailability,
  'document-completion.json': documentCompletion,
  'document-content.json': documentContent,
  'duration-units.json': durationUnits,
  'event-timing.json': eventTiming,
  'medication-control-status.json': medicationControlStatus,
  'medication-order-status.json': medicationOrderStatus,
  'participation-status.json': participationStatus,
  'problem-deleted.json': problemDeleted,
  'problem-status.json': problemStatus,
  'week-days.json': weekDays,
  'order-control-status.json': orderControlStatus,
  'unknown-reason.json': unknownReason,
};
