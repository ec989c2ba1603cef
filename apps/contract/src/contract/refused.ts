import type { ErrorCode } from '@portolan/contracts';
import type { Refusal } from '@portolan/ledger-rules';

/**
 * A refused act. Its message is all that a peer passes on: the JSON text `{"code","where"}`, with a code of the error
 * registry and a place, never a value.
 */
export class Refused extends Error {
  constructor(code: ErrorCode, where: string) {
    super(JSON.stringify({ code, where }));
    this.name = 'Refused';
  }

  static by({ code, where }: Refusal): Refused {
    return new Refused(code, where);
  }
}
