/** One audited act: its place in DICOM's and FHIR's vocabularies, and a sentence for people. */
export interface AuditActEntry {
  /** What happened, as the person reads it. */
  readonly what: string;
  /** DICOM PS3.16 CID 400 event id. */
  readonly dicom: string;
  readonly dicomDisplay: string;
  /** FHIR audit-event-action. */
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  /** Whether the person is told at once. */
  readonly feed: boolean;
}

const exported = { dicom: '110106', dicomDisplay: 'Export' } as const;
const imported = { dicom: '110107', dicomDisplay: 'Import' } as const;
const accessed = { dicom: '110110', dicomDisplay: 'Patient Record' } as const;
const secured = { dicom: '110113', dicomDisplay: 'Security Alert' } as const;

/** The catalogue of audited acts (docs/audit-events.md is made from it). Add an act here and nowhere else. */
export const auditActs = {
  'record-ingested': { what: 'A message about you was filed', ...imported, action: 'C', feed: false },
  'person-joined': { what: 'Two records kept of you were joined', ...imported, action: 'U', feed: true },
  'person-parted': { what: 'Records that were joined by mistake were parted again', ...accessed, action: 'U', feed: true },
  'stay-moved': { what: 'A stay was moved to the record or number to which it belongs', ...imported, action: 'U', feed: true },
  'stay-kept': {
    what: 'A stay was judged to be yours, though its number was moved to another record',
    ...accessed,
    action: 'U',
    feed: true,
  },
  'record-read': { what: 'Your record was read', ...accessed, action: 'R', feed: true },
  'record-searched': { what: 'Your record was searched', ...accessed, action: 'E', feed: true },
  'person-sought-abroad': { what: 'You were looked for in another country', ...accessed, action: 'E', feed: true },
  'record-asked-abroad': { what: 'Your record was asked for in another country', ...accessed, action: 'E', feed: true },
  'release-refused': { what: 'A request from abroad was answered with nothing', ...secured, action: 'E', feed: true },
  'person-matched': { what: 'A country abroad found you by the traits it sent', ...accessed, action: 'E', feed: true },
  'record-released': { what: 'Your record was released to another country', ...exported, action: 'R', feed: true },
  'record-received-abroad': { what: 'The other country confirmed that it opened your record', ...exported, action: 'R', feed: true },
  'record-refused-abroad': { what: 'The other country refused what was sent', ...exported, action: 'R', feed: true },
  'record-expired': { what: 'What was sent was not opened in time', ...exported, action: 'R', feed: true },
  'record-opened': { what: 'A record from abroad was opened', ...imported, action: 'C', feed: true },
  'record-open-refused': { what: 'A record from abroad was refused', ...secured, action: 'E', feed: false },
  'view-read': { what: 'A record from abroad was read', ...accessed, action: 'R', feed: true },
  'view-read-abroad': { what: 'Your record was read abroad', ...accessed, action: 'R', feed: true },
  'view-destroyed': { what: 'A record from abroad was destroyed', ...accessed, action: 'D', feed: true },
  'view-destroyed-abroad': { what: 'The other country attested that it destroyed your record', ...accessed, action: 'D', feed: true },
  'item-adopted': { what: 'An item from abroad was taken over', ...imported, action: 'C', feed: true },
  'item-adopted-abroad': { what: 'The other country took over an item of your record', ...accessed, action: 'C', feed: true },
  'patient-linked': { what: 'A record from abroad was linked to yours', ...accessed, action: 'C', feed: true },
  'patient-unlinked': { what: 'The link to a record from abroad was undone', ...accessed, action: 'D', feed: true },
  'consent-given': { what: 'You permitted a use', ...accessed, action: 'C', feed: true },
  'consent-withdrawn': { what: 'You withdrew a permission', ...accessed, action: 'U', feed: true },
  'restriction-set': { what: 'You restricted the use of your record', ...accessed, action: 'C', feed: true },
  'restriction-lifted': { what: 'You lifted a restriction', ...accessed, action: 'U', feed: true },
  'permit-ended': { what: 'A permit ended', ...accessed, action: 'U', feed: true },
  'entry-corrected': { what: 'An entry was corrected by its custodian', ...accessed, action: 'U', feed: true },
  'entry-disputed': { what: 'You disputed an entry', ...accessed, action: 'U', feed: true },
  'entry-amended-abroad': { what: 'A record from abroad was amended by its custodian', ...accessed, action: 'U', feed: true },
  'change-proposed': { what: 'A change to your record was proposed', ...accessed, action: 'E', feed: true },
  'change-answered': { what: 'A proposed change was answered', ...accessed, action: 'U', feed: true },
  'entries-reconciled': { what: 'It was judged whether two entries of your record say the same', ...accessed, action: 'U', feed: true },
  'emergency-declared': { what: 'An emergency was declared to reach your record', ...secured, action: 'E', feed: true },
  'emergency-ended': { what: 'A declared emergency ended', ...secured, action: 'E', feed: true },
  'emergency-reviewed': { what: 'The use in an emergency was reviewed', ...secured, action: 'E', feed: true },
  'person-erased': { what: 'Your record was erased', ...accessed, action: 'D', feed: false },
  'rejects-read': { what: 'The list of refused messages was read', ...secured, action: 'R', feed: false },
  'reject-original-read': { what: 'The original of a refused message was read', ...accessed, action: 'R', feed: false },
  'reject-repaired': { what: 'A refused message was repaired and filed', ...imported, action: 'U', feed: false },
  'reject-discarded': { what: 'A refused message was discarded', ...secured, action: 'D', feed: false },
  'mapping-answered': { what: 'A code was given its counterpart by a person', ...secured, action: 'U', feed: false },
  'delivery-revived': { what: 'A delivery that had been given up was started again', ...secured, action: 'E', feed: false },
  'trail-queried': { what: 'A regulator queried the audit trail', ...secured, action: 'E', feed: false },
} as const satisfies Record<string, AuditActEntry>;

export type AuditAct = keyof typeof auditActs;
