import { Clock } from '@portolan/domain';

/** A clock that stands until it is set. */
export class SetClock extends Clock {
  constructor(public at: number) {
    super();
  }

  now(): number {
    return this.at;
  }
}
