import type { CharsetOut, FormatName } from '@portolan/contracts';
import type { CountryFlags } from './country-files.js';
import { finish, readerOf, type Finished, type Work } from './translate-document.js';
import { finishBack, type BackForm } from './write-back.js';

export interface TranslateFlags extends CountryFlags {
  readonly format: FormatName | 'auto';
  readonly out?: string;
  readonly to?: BackForm;
  readonly charset?: CharsetOut;
  /** Threads that translate; without it, it is done here. */
  readonly jobs?: number;
  /** The account of each document on standard output. */
  readonly json?: boolean;
}

/** What is done with each document: here or in a thread, the same. `from`: where relative names start. Throws as `packOf` does. */
export async function translatorOf(flags: TranslateFlags, from: string): Promise<(work: Work) => Promise<Finished>> {
  const reader = await readerOf(flags, from);
  const { to, format, charset, json } = flags;
  return async (work) => {
    const { account, ...finished } = await (to === undefined
      ? finish(work, format, reader)
      : finishBack(work, to, reader.country, charset));
    return json === true ? { ...finished, account } : finished;
  };
}
