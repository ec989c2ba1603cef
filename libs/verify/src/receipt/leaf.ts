import type { StepLeaf, Validators } from '@portolan/contracts';
import { parseCanonical } from '../jws/jws.js';

/** Longest leaf text, in characters. */
export const leafChars = 2048;

/** The step that a leaf text holds; `verify.payload-malformed` where it is not the canonical text of one. */
export function leafOf(text: string, validators: Validators): StepLeaf {
  return validators.check('step-leaf', parseCanonical(text, leafChars, 'leaf'), 'verify.payload-malformed', 'leaf');
}
