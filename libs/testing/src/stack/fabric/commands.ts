import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { OrgId } from '@portolan/contracts';
import { portsOf } from './configtx.js';
import { networkFiles, organisationFolders } from './folders.js';
import type { Ground } from './parts.js';
import { HOST, settings } from './settings.js';

/** Fabric's own command-line programs, run for one organisation by its administrator. Each call is bounded in time. */
export class FabricCommands {
  constructor(
    private readonly ground: Ground,
    readonly org: OrgId,
  ) {}

  get channel(): string {
    return this.ground.plan.channel;
  }

  /** `peer …`, towards the organisation's own peer. Answers with what it printed on standard output; throws with what it said. */
  async peer(args: readonly string[], as: 'admin' | 'notary' | 'governance' = 'admin'): Promise<string> {
    const folders = organisationFolders(this.ground.folder, this.org);
    return this.run('peer', args, {
      CORE_PEER_ADDRESS: `${HOST}:${portsOf(this.ground.plan, this.org).peer}`,
      CORE_PEER_LOCALMSPID: this.org,
      CORE_PEER_MSPCONFIGPATH: folders.localMsp(as),
      CORE_PEER_TLS_ENABLED: 'true',
      CORE_PEER_TLS_ROOTCERT_FILE: folders.tlsAuthority.certificate,
    });
  }

  /** Options that send a transaction of `peer …` to the organisation's own orderer. */
  get toOrderer(): string[] {
    const { folder, plan } = this.ground;
    const { certificate } = organisationFolders(folder, this.org).tlsAuthority;
    return ['-o', `${HOST}:${portsOf(plan, this.org).orderer}`, '--tls', '--cafile', certificate];
  }

  /** Options that have a transaction endorsed by the peers of these organisations. */
  endorsedBy(orgs: readonly OrgId[]): string[] {
    const { folder, plan } = this.ground;
    return orgs.flatMap((org) => [
      '--peerAddresses',
      `${HOST}:${portsOf(plan, org).peer}`,
      '--tlsRootCertFiles',
      organisationFolders(folder, org).tlsAuthority.certificate,
    ]);
  }

  /** `osnadmin channel …`, towards the organisation's own orderer. */
  async osnadmin(args: readonly string[]): Promise<string> {
    const folders = organisationFolders(this.ground.folder, this.org);
    const tls = folders.tls('admin');
    const to = ['-o', `${HOST}:${portsOf(this.ground.plan, this.org).ordererAdmin}`];
    const identity = ['--ca-file', folders.tlsAuthority.certificate, '--client-cert', tls.certificate, '--client-key', tls.key];
    return this.run('osnadmin', ['channel', ...args, ...to, ...identity]);
  }

  /** `discover …`: what the organisation's peer knows of the network. */
  async discover(args: readonly string[]): Promise<string> {
    const folders = organisationFolders(this.ground.folder, this.org);
    const identity = ['--MSP', this.org, '--userKey', folders.identity('admin').key, '--userCert', folders.identity('admin').certificate];
    const to = ['--server', `${HOST}:${portsOf(this.ground.plan, this.org).peer}`, '--channel', this.channel];
    const tls = ['--peerTLSCA', folders.tlsAuthority.certificate];
    return this.run('discover', [...tls, ...identity, ...args, ...to]);
  }

  async run(program: string, args: readonly string[], environment: Record<string, string> = {}): Promise<string> {
    const { engine, folder } = this.ground;
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', FABRIC_CFG_PATH: networkFiles(folder).config, ...environment };
    const options = { env, timeout: settings.commandWithinMs, maxBuffer: 32 * 1024 * 1024, cwd: folder };
    return new Promise((resolve, reject) => {
      execFile(join(engine.bin, program), [...args], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`"${program} ${args.slice(0, 3).join(' ')}" of ${this.org} failed:\n${lastWords(`${stdout}\n${stderr}`)}`));
      });
    });
  }
}

/** A program's usage and its information would leave no room for what failed. */
const lastWords = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-12)
    .join('\n');
