import { PortolanError, type StepLeaf, type Validators } from '@portolan/contracts';
import { leafOf } from '@portolan/verify';

/** The step that a leaf text holds, or undefined where it is not the canonical text of one. */
export function readLeaf(text: string, validators: Validators): StepLeaf | undefined {
  try {
    return leafOf(text, validators);
  } catch (error) {
    if (error instanceof PortolanError) return undefined;
    throw error;
  }
}

export type Released = Extract<StepLeaf, { step: 'released' }>;
export type FollowUp = Exclude<StepLeaf, { step: 'released' }>;
