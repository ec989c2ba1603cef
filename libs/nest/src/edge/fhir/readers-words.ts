import type { ReadersWords } from '@portolan/domain';
import type { EdgeParts } from '../edge.parts.js';

/** The words in which this country's readers are shown foreign records: those of its documents first, then its other languages. */
export function readersWords({ country: { wording }, pack: { languages, displays } }: EdgeParts): ReadersWords {
  return { languages: [wording.language, ...languages], wording, displays };
}
