import { PortolanError } from '@portolan/contracts';

/**
 * What a failed command says: code, what, where, and what to do next. The message of a fault of ours stays out, since it may quote what
 * came from outside (design, invariant 12); its kind and its place in the program are told.
 */
export function failureText(error: unknown): string {
  if (error instanceof PortolanError) return `portolan: ${error.message}`;
  const kind = error instanceof Error ? error.name : typeof error;
  const told = new PortolanError('cli.failed', 'portolan', kind).message;
  return [`portolan: ${told}`, ...frames(error)].join('\n');
}

/** The stack's first places, without its message. */
function frames(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 6);
}
