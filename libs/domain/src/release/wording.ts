import type { SummaryWording } from '@portolan/contracts';

export type { SummaryWording };

/** The words where a country's folder brings none of its own (`wording.json`). */
export const englishWording: SummaryWording = {
  language: 'en',
  title: 'International Patient Summary',
  documents: { laboratory: 'Laboratory report', imaging: 'Imaging report', discharge: 'Hospital discharge summary' },
  sections: {
    allergies: 'Allergies and Intolerances',
    medications: 'Medication Summary',
    problems: 'Problems',
    immunizations: 'Immunizations',
    procedures: 'History of Procedures',
    devices: 'Medical Devices',
    results: 'Results',
    vitalSigns: 'Vital Signs',
    socialHistory: 'Social History',
    pregnancy: 'History of Pregnancy',
    pastProblems: 'Past Problems',
    alerts: 'Alerts',
    referrals: 'Referrals',
    imaging: 'Imaging Studies',
    dispensed: 'Medication Dispensed',
    claims: 'Claims',
  },
  columns: { date: 'Date', what: 'Entry', details: 'Details' },
  fromCodes:
    'This part was made in English by the node that received the record, from codes alone; entries without a code are not in it. The text of the source above is authoritative.',
  incomplete: 'This summary was compiled from the data available to its custodian and may be incomplete.',
  nothing: 'No information is available.',
};
