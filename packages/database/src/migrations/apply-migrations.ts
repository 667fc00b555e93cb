import type { Pool, PoolClient } from 'pg';
import { DatabaseError, databaseFailure, databaseRefusal } from '../database-error.ts';
import { programVersion } from '../program-version.ts';
import { type Migration, readMigrations } from './read-migrations.ts';

/** What `migrate` did: the names applied now, in order, and the number the database is at, which may be newer than we. */
export type MigrationReport = { readonly applied: readonly string[]; readonly version: number };

/** A migration that a database has; the last two are unknown of those that were applied before they were kept. */
type AppliedMigration = {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
  readonly works_from: number | null;
  readonly applied_by: string | null;
};

/** Any number will do as long as every node uses the same: the letters "stil" as bytes. */
const advisoryLockKey = 0x7374696c;

/**
 * Applies what is missing, each migration in a transaction of its own under an advisory lock, so that nodes that start
 * together take turns. A database that is newer than the folder is left as it is, and refused when one of its migrations
 * does not work with programs as old as this one (DATABASE_NEWER_THAN_PROGRAM); one whose applied migrations differ from
 * the folder is refused (MIGRATION_CHANGED) before anything is changed.
 */
export async function applyMigrations(pool: Pool, folder: string): Promise<MigrationReport> {
  const migrations = await readMigrations(folder);
  const applied: string[] = [];
  for (;;) {
    const step = await inLockedTransaction(pool, (client) => applyNext(client, migrations));
    if (step.name === undefined) return { applied, version: step.version };
    applied.push(step.name);
  }
}

/** Has everybody else who migrates this database wait until the client's transaction has ended. */
export async function lockMigrations(client: PoolClient): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [advisoryLockKey]);
}

/** Applies the first migration that is missing, if any, in the client's transaction; `version` is where that leads. */
export async function applyNext(
  client: PoolClient,
  migrations: readonly Migration[],
): Promise<{ readonly name?: string; readonly version: number }> {
  await makeMigrationTable(client);
  const rows = await readApplied(client);
  checkApplied(rows, migrations);
  const next = migrations[rows.length];
  if (next === undefined) return { version: rows.length };
  await runMigration(client, next);
  await client.query(
    'insert into schema_migration (number, name, sha256, works_from, applied_by) values ($1, $2, $3, $4, $5)',
    [next.number, next.name, next.sha256, next.worksFrom, programVersion],
  );
  return { name: next.name, version: next.number };
}

/** The migrations of a database whose table of them exists, in order. */
async function readApplied(client: PoolClient): Promise<AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(
    'select number, name, sha256, works_from, applied_by from schema_migration order by number',
  );
  return rows;
}

async function makeMigrationTable(client: PoolClient): Promise<void> {
  await client.query(
    `create table if not exists schema_migration (
       number integer primary key,
       name text not null,
       sha256 text not null,
       applied_at timestamptz not null default now(),
       works_from integer,
       applied_by text
     )`,
  );
  const { rowCount } = await client.query(
    `select from pg_attribute where attrelid = 'schema_migration'::regclass and attname = 'works_from'`,
  );
  // Only when it must be: changing a table waits for everybody who reads it.
  if (rowCount === 0)
    await client.query(
      'alter table schema_migration add column works_from integer, add column applied_by text',
    );
}

/** Throws DATABASE_NEWER_THAN_PROGRAM or MIGRATION_CHANGED unless a program with these migrations may use the database. */
function checkApplied(rows: readonly AppliedMigration[], migrations: readonly Migration[]): void {
  for (const [index, known] of migrations.slice(0, rows.length).entries()) {
    const row = rows[index] as AppliedMigration;
    if (row.number === known.number && row.name === known.name && row.sha256 === known.sha256) continue;
    throw databaseRefusal(
      'MIGRATION_CHANGED',
      `The database has ${row.name} with SHA-256 ${row.sha256}; this program has ${known.name} with ${known.sha256}.`,
    );
  }
  const floor = Math.max(0, ...rows.map(({ number, works_from }) => works_from ?? number));
  if (floor > migrations.length) throw tooNew(rows, floor, migrations.length);
}

function tooNew(rows: readonly AppliedMigration[], floor: number, known: number): DatabaseError {
  const needed = rows.find(({ number }) => number === floor);
  const by = (row?: AppliedMigration): string => (row?.applied_by ? ` (Stillpoint ${row.applied_by})` : '');
  const newest = rows.at(-1);
  return databaseRefusal(
    'DATABASE_NEWER_THAN_PROGRAM',
    `The database is at migration ${newest?.name}${by(newest)} and works with programs that know migration ` +
      `${needed?.name ?? floor}${by(needed)}; this one is Stillpoint ${programVersion} and knows ${known}.`,
  );
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
    await lockMigrations(client);
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
