import type { LoggerService } from '@nestjs/common';

export type LogLevel = 'silent' | 'error' | 'info';
/** Where a line goes; tests collect them and look for canaries. */
export type LogSink = (line: string) => void;

/**
 * One JSON line an event: time, country, role, level, message, code. Only texts of our own and registry codes are written: an
 * error's message may quote what came from outside, so it stays out unless it is a PortolanError's (design, invariant 12).
 */
export class NodeLogger implements LoggerService {
  constructor(
    private readonly who: { readonly country: string; readonly role: string },
    private readonly level: LogLevel,
    private readonly sink: LogSink,
  ) {}

  /** A failure by its registry code, with the place where it arose. */
  failure(message: string, code: string, error?: unknown): void {
    if (this.level === 'silent') return;
    const known = error instanceof Error && error.name === 'PortolanError' ? error.message : undefined;
    const kind = error instanceof Error ? error.name : typeof error;
    this.write('error', message, { code, ...(known === undefined ? { kind, at: frames(error) } : { detail: known }) });
  }

  info(message: string, facts: Readonly<Record<string, string | number | boolean>> = {}): void {
    if (this.level === 'info') this.write('info', message, facts);
  }

  /** Nest's own start-up chatter is not ours to repeat. */
  log(): void {
    return;
  }

  error(message: unknown, ...rest: unknown[]): void {
    if (this.level === 'silent') return;
    this.write('error', 'framework error', {
      kind: message instanceof Error ? message.name : typeof message,
      at: frames(message) || frames(rest[0]),
    });
  }

  warn(): void {
    return;
  }

  private write(level: string, message: string, facts: Readonly<Record<string, unknown>>): void {
    this.sink(JSON.stringify({ time: new Date().toISOString(), ...this.who, level, message, ...facts }));
  }
}

/** The first frames of a stack without its message line, which may quote data. */
function frames(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : typeof error === 'string' ? error : '';
  return stack
    .split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 4)
    .map((line) => line.trim().replace(/\(?(?:file:\/\/)?\/[^\s)]*\/((?:libs|apps|node_modules)\/[^\s)]*)\)?/, '$1'))
    .join(' < ');
}
