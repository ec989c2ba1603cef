import { PortolanError, type StepLeaf, type Validators } from '@portolan/contracts';
import { parseCanonical } from '@portolan/verify';

/** Longest leaf text. */
export const leafChars = 2048;

/** The step that a leaf text holds, or undefined where it is not the canonical text of one. */
export function readLeaf(text: string, validators: Validators): StepLeaf | undefined {
  try {
    const value = parseCanonical(text, leafChars, 'leaf');
    return validators.mistake('step-leaf', value) === undefined ? (value as StepLeaf) : undefined;
  } catch (error) {
    if (error instanceof PortolanError) return undefined;
    throw error;
  }
}

export type Released = Extract<StepLeaf, { step: 'released' }>;
export type FollowUp = Exclude<StepLeaf, { step: 'released' }>;
