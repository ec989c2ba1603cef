import type { DataCategory } from '@portolan/contracts';

const every: Readonly<Record<DataCategory, true>> = {
  summary: true,
  laboratory: true,
  medication: true,
  imaging: true,
  discharge: true,
  prescription: true,
  referral: true,
  claim: true,
};

/** All categories of data by which a record is asked for, permitted and restricted. */
export const DATA_CATEGORIES = Object.keys(every) as readonly DataCategory[];
