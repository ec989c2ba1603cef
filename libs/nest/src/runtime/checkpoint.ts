import { readFileSync, rmSync } from 'node:fs';
import { Checkpoint } from '@portolan/domain';

class NoCheckpoint extends Checkpoint {
  reach(): void {
    return;
  }
}

/** In production nothing strikes. */
export const noCheckpoint: Checkpoint = new NoCheckpoint();

/**
 * For tests of crashes: a file that holds `<step> <before|after> <n>` makes this process end itself with SIGKILL when it reaches that
 * point for the n-th time from then on. The file is removed first, so that the process that takes over lives.
 */
export class FileCheckpoint extends Checkpoint {
  private readonly seen = new Map<string, number>();

  constructor(private readonly file: string) {
    super();
  }

  reach(step: string, moment: 'before' | 'after'): void {
    const wanted = this.wanted();
    if (wanted?.[0] !== step || wanted[1] !== moment) return;
    const times = (this.seen.get(`${step} ${moment}`) ?? 0) + 1;
    this.seen.set(`${step} ${moment}`, times);
    if (times < Number(wanted[2] ?? 1)) return;
    rmSync(this.file, { force: true });
    process.kill(process.pid, 'SIGKILL');
  }

  private wanted(): string[] | undefined {
    try {
      return readFileSync(this.file, 'utf8').trim().split(' ');
    } catch {
      return undefined;
    }
  }
}
