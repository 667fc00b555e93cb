import type { Pool, PoolClient } from 'pg';
import { DatabaseError, databaseFailure, databaseRefusal } from '../database-error.ts';
import { type Migration, readMigrations } from './read-migrations.ts';

/** What `migrate` did: the names applied now, in order, and the number the database is at. */
export type MigrationReport = { readonly applied: readonly string[]; readonly version: number };

type AppliedRow = { number: number; name: string; sha256: string };

/** Any number will do as long as every node uses the same: the letters "stil" as bytes. */
const advisoryLockKey = 0x7374696c;

/**
 * Applies what is missing, each migration in a transaction of its own under an advisory lock, so that nodes that start
 * together take turns. Refuses a database that is newer than the folder (DATABASE_NEWER_THAN_PROGRAM) or whose applied
 * migrations differ from it (MIGRATION_CHANGED) before anything is changed.
 */
export async function applyMigrations(pool: Pool, folder: string): Promise<MigrationReport> {
  const migrations = await readMigrations(folder);
  const applied: string[] = [];
  for (;;) {
    const name = await inLockedTransaction(pool, (client) => applyNext(client, migrations));
    if (name === undefined) return { applied, version: migrations.length };
    applied.push(name);
  }
}

/** Applies the first migration that is missing and returns its name; undefined when none is missing. */
async function applyNext(client: PoolClient, migrations: readonly Migration[]): Promise<string | undefined> {
  await client.query(
    `create table if not exists schema_migration (
       number integer primary key,
       name text not null,
       sha256 text not null,
       applied_at timestamptz not null default now()
     )`,
  );
  const { rows } = await client.query<AppliedRow>(
    'select number, name, sha256 from schema_migration order by number',
  );
  checkApplied(rows, migrations);
  const next = migrations[rows.length];
  if (next === undefined) return undefined;
  await runMigration(client, next);
  await client.query('insert into schema_migration (number, name, sha256) values ($1, $2, $3)', [
    next.number,
    next.name,
    next.sha256,
  ]);
  return next.name;
}

function checkApplied(rows: readonly AppliedRow[], migrations: readonly Migration[]): void {
  const newest = rows.at(-1);
  if (newest !== undefined && newest.number > migrations.length) {
    throw databaseRefusal(
      'DATABASE_NEWER_THAN_PROGRAM',
      `The database is at migration ${newest.name}; this program knows ${migrations.length}.`,
    );
  }
  for (const [index, row] of rows.entries()) {
    const known = migrations[index] as Migration;
    if (row.number === known.number && row.name === known.name && row.sha256 === known.sha256) continue;
    throw databaseRefusal(
      'MIGRATION_CHANGED',
      `The database has ${row.name} with SHA-256 ${row.sha256}; this program has ${known.name} with ${known.sha256}.`,
    );
  }
}

async function runMigration(client: PoolClient, migration: Migration): Promise<void> {
  const before = await currentTransaction(client);
  try {
    await client.query(migration.sql);
  } catch (error) {
    throw databaseFailure(
      'MIGRATION_FAILED',
      `${migration.name}${describePosition(migration, error)}`,
      error,
    );
  }
  if ((await currentTransaction(client)) === before) return;
  throw new Error(`the migration ${migration.name} ends the transaction it runs in`);
}

async function currentTransaction(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ id: string }>('select pg_current_xact_id()::text as id');
  return rows[0]?.id ?? '';
}

function describePosition(migration: Migration, error: unknown): string {
  const { message, position } = error as Error & { position?: string };
  const line =
    position === undefined ? '' : `, line ${migration.sql.slice(0, Number(position)).split('\n').length}`;
  return `${line}: ${message}.`;
}

async function inLockedTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [advisoryLockKey]);
    const value = await work(client);
    await client.query('commit');
    return value;
  } catch (error) {
    failure = error as Error;
    await client.query('rollback').catch(() => undefined);
    if (error instanceof DatabaseError) throw error;
    throw databaseFailure('MIGRATION_FAILED', `${failure.message}.`, error);
  } finally {
    // A connection that saw a failure is not worth keeping: its state is not worth reasoning about either.
    client.release(failure);
  }
}
