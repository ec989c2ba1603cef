/**
 * Settings of the embedded server, written before each start. Failed statements and their values stay out of its log: an error's
 * text or detail can quote a row (design, invariant 12).
 */
export function serverConfig(options: { port: number; maxConnections?: number; fsync?: boolean }): string {
  return [
    "listen_addresses = '127.0.0.1'",
    `port = ${options.port}`,
    "unix_socket_directories = ''",
    `max_connections = ${options.maxConnections ?? 100}`,
    'shared_buffers = 64MB',
    `fsync = ${options.fsync === false ? 'off' : 'on'}`,
    `full_page_writes = ${options.fsync === false ? 'off' : 'on'}`,
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    'log_min_messages = log',
    'log_error_verbosity = terse',
    'log_min_error_statement = panic',
    'log_parameter_max_length_on_error = 0',
    '',
  ].join('\n');
}
