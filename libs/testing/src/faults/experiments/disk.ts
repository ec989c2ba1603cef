import { execFile } from 'node:child_process';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Fault, Scene } from '../fault.js';

const run = promisify(execFile);
const SIZE_MB = 96;
const FULL_MS = 30_000;
const TABLES = ['exchange.outbox', 'exchange.outgoing'] as const;

export const fullDisk: Fault = {
  name: 'full-disk',
  what: 'the disk on which EE’s outboxes lie is full for half a minute',
  how: `exchange.outbox and exchange.outgoing of EE lie in a tablespace on a ${SIZE_MB} MB tmpfs of its own, which a file fills to the last byte; then the file is removed (Linux, as root)`,
  strike: async (scene) => {
    const { struck, healed, note, world } = scene;
    const disk = await SmallDisk.under(scene);
    try {
      await pause(3_000);
      await disk.fill();
      struck();
      await pause(FULL_MS);
      const [failed] = await world.rows<{ n: number }>('EE', `SELECT count(*)::int AS n FROM exchange.outgoing`);
      note(
        `rows of exchange.outgoing while it was full: ${failed?.n ?? 0}; PostgreSQL said "No space left on device" ${await disk.complaints()} times`,
      );
      await disk.clear();
      healed();
    } finally {
      await disk.leave();
    }
  },
};

/** A tmpfs, a tablespace on it, and EE's outboxes in that. */
class SmallDisk {
  private constructor(
    private readonly scene: Scene,
    private readonly folder: string,
    private readonly data: string,
  ) {}

  static async under(scene: Scene): Promise<SmallDisk> {
    const server = await scene.world.world.engines.cluster('EE').process();
    if (server === undefined) throw new Error('EE has no database server');
    const folder = `${server.data}.small`;
    await mkdir(folder, { recursive: true });
    const { uid, gid } = await stat(server.data);
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m,uid=${uid},gid=${gid},mode=0700`, 'portolan-small', folder]);
    const disk = new SmallDisk(scene, folder, server.data);
    await disk.sql(`CREATE TABLESPACE small LOCATION '${folder}'`);
    for (const table of TABLES) await disk.sql(`ALTER TABLE ${table} SET TABLESPACE small`);
    return disk;
  }

  /** Writes until there is no room. */
  async fill(): Promise<void> {
    const file = await open(join(this.folder, 'ballast'), 'w');
    const block = Buffer.alloc(64 * 1024, 1);
    try {
      for (;;) await file.write(block);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error;
    } finally {
      await file.close();
    }
  }

  clear(): Promise<void> {
    return rm(join(this.folder, 'ballast'), { force: true });
  }

  async complaints(): Promise<number> {
    const { stdout } = await run('grep', ['-c', 'No space left on device', join(this.data, 'server.log')]).catch(
      (error: unknown) => error as { stdout: string },
    );
    return Number(stdout.trim());
  }

  /** The outboxes go back to where they lay. */
  async leave(): Promise<void> {
    await this.clear();
    for (const table of TABLES) await this.sql(`ALTER TABLE ${table} SET TABLESPACE pg_default`);
    await this.sql('DROP TABLESPACE small');
    await run('umount', [this.folder]);
  }

  private async sql(text: string): Promise<void> {
    await this.scene.world.rows('EE', text);
  }
}
