/** What a command may use of the world around it; main.ts makes the real one, tests their own. */
export interface Terminal {
  /** A line of the result, on standard output: what a script reads. */
  out(line: string): void;
  /** A line about the work, on standard error: what a person reads meanwhile. */
  note(line: string): void;
  /** The folder in which the command was given; relative names start there. */
  readonly folder: string;
  /** The user's own folder. */
  readonly home: string;
  /** The configured trust file (`PORTOLAN_TRUST`). */
  readonly trustFile: string | undefined;
  /** Asks a person for a secret that nobody sees; absent where nobody sits there. */
  readonly ask?: (question: string) => Promise<string>;
}

/** How a command ends: what it wanted came about, it did not, the command line is wrong, or what it is about is not there. */
export const exits = { ok: 0, failed: 1, usage: 2, absent: 3 } as const;
/** How a command ends that a signal stopped before it was done: 128 and the signal's number. */
export const interrupted = { SIGINT: 130, SIGTERM: 143 } as const;
export type Exit = (typeof exits)[keyof typeof exits] | (typeof interrupted)[keyof typeof interrupted];

/** The command line asks for something that is not there to be asked for; `message` says what would be right. */
export class WrongUsage extends Error {}

/** A command's work, loaded when it is called: `portolan --help` loads none of it. */
export type Work = (terminal: Terminal) => Promise<Exit>;

/** Runs a command's work and keeps how it ended. */
export type Run = (work: Work) => Promise<void>;
