/** One running role: what `start` gave back, to be closed in the order opposite to its opening. */
export interface RoleApp {
  readonly role: 'edge' | 'exchange' | 'notary';
  close(): Promise<void>;
}

/** Opens things one by one and closes all of them again, last first; a failing start closes what it had opened. */
export class Opened {
  private readonly closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.closers.unshift(close);
  }

  async close(): Promise<void> {
    for (const close of this.closers.splice(0)) await close();
  }
}
