import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TokenConfig } from '@portolan/pkcs11';
import { installed } from '../installed.js';

/** What a token in software needs, as `tools/engines/pkcs11/install.mjs` prints it. */
export interface SoftHsm {
  readonly binding: string;
  readonly module: string;
  readonly util: string;
}

const run = promisify(execFile);

/** Binding and SoftHSM, brought into the user's cache where they are not there yet; what is absent where that cannot be. */
export const softHsm = (): Promise<SoftHsm | { readonly absent: string }> => installed('pkcs11');

/**
 * A token of its own in a folder. SoftHSM reads where it is from SOFTHSM2_CONF, so the caller puts `conf` there, in its own environment or a
 * child's, before the module is first used.
 */
export class SoftToken {
  private constructor(
    private readonly hsm: SoftHsm,
    private readonly folder: string,
    /** The token's configuration file. */
    readonly conf: string,
    readonly config: TokenConfig,
  ) {}

  static async create(hsm: SoftHsm, folder: string, label = 'portolan-test'): Promise<SoftToken> {
    const conf = join(folder, 'softhsm2.conf');
    const pinFile = join(folder, 'pin');
    await mkdir(join(folder, 'tokens'), { recursive: true });
    await writeFile(conf, `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`);
    await writeFile(pinFile, '1234\n', { mode: 0o600 });
    const token = new SoftToken(hsm, folder, conf, { module: hsm.module, binding: hsm.binding, token: label, pinFile });
    await token.initialise(label);
    return token;
  }

  /** As a token that was taken out, with all that it holds. */
  remove(): Promise<void> {
    return rm(join(this.folder, 'tokens'), { recursive: true, force: true });
  }

  private async initialise(label: string): Promise<void> {
    const args = ['--init-token', '--free', '--label', label, '--pin', '1234', '--so-pin', '5678', '--module', this.hsm.module];
    await run(this.hsm.util, args, { env: { SOFTHSM2_CONF: this.conf } });
  }
}
