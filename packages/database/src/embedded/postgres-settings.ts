/** The names under which the embedded server is reached; the port is only a part of the socket's name. */
export const embeddedLogin = { user: 'stillpoint', database: 'stillpoint', port: 5432 } as const;

const settings: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: String(embeddedLogin.port),
  unix_socket_permissions: '0700',
  // One program on one machine: little memory, no replication, no helpers that would only idle.
  max_connections: '100',
  shared_buffers: '32MB',
  huge_pages: 'off',
  maintenance_work_mem: '32MB',
  max_wal_size: '256MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  io_method: 'sync',
  jit: 'off',
  // What was acknowledged is on the disk.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_checkpoints: 'off',
  // Statements, key values and the errors of a session may hold what must not be in a log; the session is told.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
};

/** The arguments of the server; given at each start so that they follow the program's version, not the cluster's. */
export function postgresArguments(
  clusterFolder: string,
  socketFolder: string,
  extraSettings: Readonly<Record<string, string>> = {},
): string[] {
  // The list of folders is parsed by PostgreSQL: quotes keep a comma or a blank in a folder's name from splitting it.
  const folders = `"${socketFolder.replaceAll('"', '""')}"`;
  const all = { ...settings, unix_socket_directories: folders, ...extraSettings };
  return ['-D', clusterFolder, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
