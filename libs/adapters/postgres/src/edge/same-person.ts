import type { PersonId } from '@portolan/domain';
import { Raw, type FindOperator } from 'typeorm';

/** Rows of any entry of the person: edge and exchange keep what they know of her under the entry to which it came. */
export const ofSamePerson = (person: PersonId): FindOperator<string> =>
  Raw((column) => `${column} = ANY (edge.same_person(:person))`, { person }) as FindOperator<string>;
