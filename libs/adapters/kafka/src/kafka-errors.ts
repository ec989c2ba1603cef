/** What a broker means when it says no for good to us, and not merely "not now". */
const REFUSALS = [
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
];

/** Kafka's name of what went wrong (`TOPIC_AUTHORIZATION_FAILED`), else kafkajs' own; never its words. */
export function kafkaReason(error: unknown): string {
  let reason = 'unknown';
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = below(cause), depth += 1) {
    const { type, code } = cause as { type?: unknown; code?: unknown };
    if (isName(type)) return type;
    if (isName(code)) return code;
    reason = cause.name;
  }
  return reason;
}

/** What an error is about: its cause, or the first of several. */
function below(error: Error): unknown {
  const { errors } = error as { errors?: unknown };
  return error.cause ?? (Array.isArray(errors) ? errors[0] : undefined);
}

const isName = (value: unknown): value is string => typeof value === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(value);

export const isRefusal = (reason: string): boolean => REFUSALS.includes(reason);
