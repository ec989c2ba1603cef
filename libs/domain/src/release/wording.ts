import type { SectionKey } from './sections.js';

/** The words of a generated document in one language (data: `libs/countries`). */
export interface SummaryWording {
  /** BCP 47. */
  readonly language: string;
  readonly title: string;
  readonly resultsTitle: string;
  readonly sections: Readonly<Record<SectionKey, string>>;
  readonly columns: { readonly date: string; readonly what: string; readonly details: string };
  /** Said once in every summary: it may be incomplete. */
  readonly incomplete: string;
  /** Said in a section without data; never that there is none. */
  readonly nothing: string;
}

export const englishWording: SummaryWording = {
  language: 'en',
  title: 'International Patient Summary',
  resultsTitle: 'Laboratory results',
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
    planOfCare: 'Plan of Care',
    imaging: 'Imaging Studies',
    dispensed: 'Medication Dispensed',
    claims: 'Claims',
  },
  columns: { date: 'Date', what: 'Entry', details: 'Details' },
  incomplete: 'This summary was compiled from the data available to its custodian and may be incomplete.',
  nothing: 'No information is available.',
};
