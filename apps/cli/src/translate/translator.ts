import { finish, readerOf, type Finished, type Work } from './translate-document.js';
import type { TranslateFlags } from './translate-files.js';
import { finishBack } from './write-back.js';

/** What is done with each document: here or in a thread, the same. `from`: where relative names start. Throws as `packOf` does. */
export async function translatorOf(flags: TranslateFlags, from: string): Promise<(work: Work) => Promise<Finished>> {
  const reader = await readerOf(flags, from);
  const { to, format } = flags;
  return (work) => (to === undefined ? finish(work, format, reader) : finishBack(work, to, reader.country));
}
