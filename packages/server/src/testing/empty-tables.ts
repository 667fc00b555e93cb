import { type Kysely, sql } from 'kysely';
import type { Tables } from '../adapters/tables.ts';

const names: readonly (keyof Tables)[] = [
  ...(['parameter', 'device', 'plan', 'known_store', 'run', 'task', 'script_output'] as const),
  ...(['journal_subject', 'journal_fact', 'device_guard', 'backup', 'backup_file'] as const),
  ...(['node', 'alarm', 'database_import', 'left_out_fire', 'parameter_change'] as const),
  ...(['sealed_parameter', 'notice', 'heartbeat'] as const),
];

/** For tests that share a database: removes every row. */
export async function emptyTables(db: Kysely<Tables>): Promise<void> {
  await sql`truncate ${sql.join(names.map((name) => sql.table(name)))}`.execute(db);
}
