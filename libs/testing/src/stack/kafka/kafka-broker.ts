import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, openSync, closeSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { TlsIdentity } from '@portolan/keys';
import { freePorts } from '../../world/ports.js';
import { end, hasEnded, isRunning, signalOwn, startOf, type OwnProcess } from '../own-process.js';
import type { KafkaEngine } from './engine.js';
import { brokerFiles, HOST, javaArguments, loggingProperties, serverProperties, type BrokerPorts } from './settings.js';

export interface KafkaBrokerConfig {
  /** Folder of this broker alone; made where missing. What is in it is taken up again. */
  readonly folder: string;
  readonly engine: KafkaEngine;
  /** The door that partners knock at: the country's authority for partners, and a server certificate of it. */
  readonly partners: TlsIdentity;
  /** Towards the country's own roles: its internal authority, and a certificate `CN=broker <CC>` of it. */
  readonly country: TlsIdentity;
  /** Any free ones at the first start, and the same ones later, where absent. */
  readonly ports?: BrokerPorts;
  /** The port at which partners are told to knock, where a line that a test can cut leads to the door; the door's own where absent. */
  readonly advertised?: number;
  readonly readyWithinMs?: number;
  /** True: ends with this process, unless that is killed. False: lives on, for the next start to take up. */
  readonly endsWithUs?: boolean;
}

export interface BrokerStatus {
  readonly running: boolean;
  readonly pid?: number;
  readonly ports?: BrokerPorts;
}

/** What a broker's folder remembers of it. */
interface Note {
  readonly clusterId: string;
  readonly ports: BrokerPorts;
  readonly process?: OwnProcess;
  /** Of the settings that the process was started with. */
  readonly settings?: string;
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 20_000;
const PORTS_FREE_WITHIN_MS = 15_000;
const LOG_MOST_BYTES = 20_000_000;
const STARTED = 'Kafka Server started';
const run = promisify(execFile);

/** One country's broker (Kafka in KRaft mode, one process) on loopback, without containers: for demonstration and tests. */
export class KafkaBroker {
  private readonly files: ReturnType<typeof brokerFiles>;
  private readonly onExit = (): void => this.killAtExit();

  constructor(private readonly config: KafkaBrokerConfig) {
    this.files = brokerFiles(config.folder);
  }

  get folder(): string {
    return this.config.folder;
  }

  /** Ports as of the last start. */
  get ports(): BrokerPorts {
    const note = this.note();
    if (note === undefined) throw new Error(`the broker in ${this.config.folder} was never started`);
    return note.ports;
  }

  /**
   * Starts on an empty folder, or on what is there. A broker of this folder that outlived its starter is taken up where it runs with
   * these settings, and replaced where it does not. Throws with the log's last lines where it is not ready in time.
   */
  async start(): Promise<BrokerPorts> {
    await mkdir(this.config.folder, { recursive: true, mode: 0o700 });
    const before = this.note();
    if (before?.process !== undefined && isRunning(before.process)) {
      if (before.settings === this.settingsOf(before.ports) && (await this.answers(before, 5_000))) return this.taken(before.ports);
      await end(before.process, STOP_WITHIN_MS);
    }
    const ports = await this.freePortsLike(this.config.ports ?? before?.ports);
    const note: Note = { clusterId: before?.clusterId ?? newClusterId(), ports };
    await this.writeFiles(note);
    await this.format(note);
    await this.launch(note);
    return this.taken(ports);
  }

  /** Ends it in order. Does nothing where it does not run. */
  async stop(): Promise<void> {
    process.removeListener('exit', this.onExit);
    const own = this.note()?.process;
    if (own !== undefined) await end(own, STOP_WITHIN_MS);
    this.keepArchive();
  }

  /** SIGKILL, as a crash of the process would be; for fault tests. */
  async kill(): Promise<void> {
    const own = this.note()?.process;
    if (own === undefined) return;
    signalOwn(own, 'SIGKILL');
    await hasEnded(own, 10_000);
  }

  /** Stops it where it stands, or lets it go on: for tests of a broker that hangs. */
  freeze(isFrozen: boolean): void {
    const own = this.note()?.process;
    if (own !== undefined) signalOwn(own, isFrozen ? 'SIGSTOP' : 'SIGCONT');
  }

  status(): BrokerStatus {
    return brokerStatus(this.config.folder);
  }

  /** Writes another certificate of the same authority for the partners' door; the broker reads it when its settings are altered. */
  async writeDoor(identity: TlsIdentity): Promise<string> {
    await this.writeStore(this.files.partners, identity);
    return this.files.partners.keystore;
  }

  private taken(ports: BrokerPorts): BrokerPorts {
    if (this.config.endsWithUs === true) process.once('exit', this.onExit);
    return ports;
  }

  private killAtExit(): void {
    const own = this.note()?.process;
    if (own !== undefined) signalOwn(own, 'SIGKILL');
  }

  private note(): Note | undefined {
    return noteOf(this.files.note);
  }

  private write(note: Note): void {
    writeFileSync(`${this.files.note}.new`, JSON.stringify(note), { mode: 0o600 });
    renameSync(`${this.files.note}.new`, this.files.note);
  }

  private settingsOf(ports: BrokerPorts): string {
    const { partners, country, engine } = this.config;
    return JSON.stringify([this.properties(ports), partners, country, engine.version]);
  }

  /**
   * The ports of before, which clients know. A client that knocks at one while nobody listens may for a moment hold it by itself (both ends of
   * a connection on one port of loopback), so they are waited for before others are taken.
   */
  private async freePortsLike(wanted: BrokerPorts | undefined): Promise<BrokerPorts> {
    const until = performance.now() + PORTS_FREE_WITHIN_MS;
    while (wanted !== undefined) {
      if ((await Promise.all([wanted.partners, wanted.country, wanted.controller].map(isFree))).every(Boolean)) return wanted;
      if (performance.now() > until) break;
      await pause(50);
    }
    const [partners = 0, country = 0, controller = 0] = await freePorts(3);
    return { partners, country, controller };
  }

  private async writeFiles({ ports }: Note): Promise<void> {
    await this.writeStore(this.files.partners, this.config.partners);
    await this.writeStore(this.files.country, this.config.country);
    await writeFile(this.files.properties, this.properties(ports));
    await writeFile(this.files.logging, loggingProperties);
    if (existsSync(this.files.log) && statSync(this.files.log).size > LOG_MOST_BYTES) await rm(this.files.log);
  }

  private properties(ports: BrokerPorts): string {
    return serverProperties(this.config.folder, ports, this.config.advertised);
  }

  private async writeStore(files: { keystore: string; trust: string }, identity: TlsIdentity): Promise<void> {
    const chain = [identity.privateKeyPem, identity.certificatePem, identity.authorityPem].map((pem) => pem.trimEnd()).join('\n');
    await writeFile(files.keystore, `${chain}\n`, { mode: 0o600 });
    await writeFile(files.trust, identity.authorityPem);
  }

  private java(archive: readonly string[]): string[] {
    return javaArguments(this.config.engine, readdirSync(this.config.engine.jars), this.files.logging, archive);
  }

  private get archiveInUse(): string[] {
    return existsSync(this.config.engine.archive) ? [`-XX:SharedArchiveFile=${this.config.engine.archive}`, '-Xshare:auto'] : [];
  }

  /** A folder whose formatting was cut off has no `meta.properties` and is formatted anew. */
  private async format({ clusterId }: Note): Promise<void> {
    if (existsSync(`${this.files.data}/meta.properties`)) return;
    await rm(this.files.data, { recursive: true, force: true });
    const command = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', clusterId, '-c', this.files.properties];
    await run(this.config.engine.java, [...this.java(this.archiveInUse), ...command], { timeout: READY_WITHIN_MS }).catch(
      (error: unknown) => {
        throw new Error(`the folder of a broker could not be formatted: ${this.files.data}`, { cause: error });
      },
    );
  }

  private async launch(note: Note): Promise<void> {
    const logged = existsSync(this.files.log) ? statSync(this.files.log).size : 0;
    const archive = this.archiveInUse.length > 0 ? this.archiveInUse : [`-XX:ArchiveClassesAtExit=${this.freshArchive}`];
    const log = openSync(this.files.log, 'a', 0o600);
    const child = spawn(this.config.engine.java, [...this.java(archive), 'kafka.Kafka', this.files.properties], {
      detached: true,
      cwd: this.config.folder,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
    failed.catch(() => undefined);
    const own = { pid: child.pid ?? 0, started: startOf(child.pid ?? 0) ?? '' };
    // In the same turn as the start: whoever is killed in between would leave a process that nobody knows.
    this.write({ ...note, process: own, settings: this.settingsOf(note.ports) });
    child.unref();
    await Promise.race([this.ready(own, note, logged), failed]);
  }

  private async ready(own: OwnProcess, note: Note, logged: number): Promise<void> {
    const until = performance.now() + (this.config.readyWithinMs ?? READY_WITHIN_MS);
    while (!(await this.logSince(logged)).includes(STARTED)) {
      const what = !isRunning(own) ? 'ended while it started' : performance.now() > until ? 'was not ready in time' : undefined;
      if (what !== undefined) {
        await end(own, 1_000);
        throw new Error(`the broker in ${this.config.folder} ${what}; its log ends with:\n${await this.lastLines(logged)}`);
      }
      await pause(50);
    }
    if (!(await this.answers(note, 5_000))) throw new Error(`the broker in ${this.config.folder} listens on no port`);
  }

  private async answers({ ports }: Note, withinMs: number): Promise<boolean> {
    const until = performance.now() + withinMs;
    do {
      const open = await Promise.all([ports.partners, ports.country].map(isOpen));
      if (open.every(Boolean)) return true;
      await pause(50);
    } while (performance.now() < until);
    return false;
  }

  private async logSince(offset: number): Promise<string> {
    const file = await open(this.files.log, 'r');
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(Math.max(0, Math.min(size - offset, 4_000_000)));
      await file.read(bytes, 0, bytes.length, offset);
      return bytes.toString('utf8');
    } finally {
      await file.close();
    }
  }

  private async lastLines(offset: number): Promise<string> {
    const lines = (await this.logSince(offset)).trim().split('\n');
    // Frames of a stack would leave no room for what it was about.
    return lines
      .filter((line) => !/^\s+(?:at |\.\.\. \d+ more)/.test(line))
      .slice(-15)
      .join('\n');
  }

  /** Of this broker alone until it has ended and the file is whole. */
  private get freshArchive(): string {
    return `${this.files.data}.classes.jsa`;
  }

  private keepArchive(): void {
    if (!existsSync(this.freshArchive)) return;
    try {
      if (!existsSync(this.config.engine.archive)) renameSync(this.freshArchive, this.config.engine.archive);
    } catch {
      // On another file system: each first broker makes its own.
    }
    rmSync(this.freshArchive, { force: true });
  }
}

/** 16 bytes in base64url; one that begins with a hyphen would be taken for an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

/** Whether something listens there. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const isFree = async (port: number): Promise<boolean> => !(await isOpen(port));

/** Whether the broker of a folder runs, without starting anything. */
export function brokerStatus(folder: string): BrokerStatus {
  const note = noteOf(brokerFiles(folder).note);
  if (note?.process === undefined || !isRunning(note.process)) return { running: false, ...(note && { ports: note.ports }) };
  return { running: true, pid: note.process.pid, ports: note.ports };
}

/** Ends the broker of a folder in order, whoever started it. Answers whether it ran. */
export async function stopBroker(folder: string): Promise<boolean> {
  const own = noteOf(brokerFiles(folder).note)?.process;
  if (own === undefined || !isRunning(own)) return false;
  await end(own, STOP_WITHIN_MS);
  return true;
}

function noteOf(file: string): Note | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Note;
  } catch {
    return undefined;
  }
}

/** For whoever wants to see what a broker said. */
export const readBrokerLog = (folder: string): Promise<string> => readFile(brokerFiles(folder).log, 'utf8');
