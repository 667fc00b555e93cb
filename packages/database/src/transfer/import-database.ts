import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pool, PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { DatabaseError, databaseFailure, databaseRefusal } from '../database-error.ts';
import { applyNext, lockMigrations } from '../migrations/apply-migrations.ts';
import { type Migration, migrationsFolder, readMigrations } from '../migrations/read-migrations.ts';
import { checkDatabaseIsEmpty } from './check-database-is-empty.ts';
import { rowsOf, type TransferOptions, type TransferReport } from './export-database.ts';
import type { ExportHead, SequenceState, TableHead } from './export-format.ts';
import {
  copyIn,
  type ExportedTable,
  fixTextOfValues,
  listExportedTables,
  tableName,
} from './exported-tables.ts';
import { damaged } from './read-export.ts';
import { RowMeter } from './row-meter.ts';
import { type WalkedExport, walkExport } from './walk-export.ts';

/**
 * Fills an empty database from an export, in one transaction: it holds all of it, read back and compared row count by
 * row count and hash by hash, or nothing. The queue is not part of an export; `database_import` tells the next server to
 * rebuild it. Throws `DatabaseError` (DATABASE_EXPORT_…, DATABASE_NOT_EMPTY, DATABASE_IMPORT_FAILED).
 */
export async function importDatabase(
  pool: Pool,
  file: string,
  options: TransferOptions = {},
): Promise<TransferReport> {
  const path = resolve(file);
  const migrations = await readMigrations(migrationsFolder);
  try {
    const walked = await checkExport(path, migrations, options);
    await inImport(pool, options.signal, (client) => fill(client, walked, path, migrations, options));
    return {
      path,
      sizeBytes: statSync(path).size,
      exportedAt: walked.head.exportedAt,
      stillpointVersion: walked.head.stillpointVersion,
      migration: walked.head.migrations.at(-1)?.name ?? '',
      rows: walked.foot.rows,
      tables: walked.tables.map(({ table: name, rows, sha256 }) => ({ name, rows, sha256 })),
    };
  } catch (error) {
    throw failureOfImport(error, options.signal);
  }
}

/** Reads the whole file before the database is even asked, so that a bad one costs nothing. */
function checkExport(
  path: string,
  migrations: readonly Migration[],
  { onProgress = () => undefined, signal }: TransferOptions,
): Promise<WalkedExport> {
  return walkExport(
    path,
    {
      head: async (head) => checkMigrations(path, head, migrations),
      async table({ table }, rows) {
        let bytes = 0;
        for await (const chunk of rows) bytes += chunk.length;
        if (bytes > 0) onProgress({ step: 'check', table, rows: 0 });
      },
    },
    signal,
  );
}

function checkMigrations(path: string, head: ExportHead, migrations: readonly Migration[]): void {
  const newest = head.migrations.at(-1);
  if (newest === undefined) throw damaged(path, 'it names no migration');
  if (newest.number > migrations.length) {
    throw databaseRefusal(
      'DATABASE_EXPORT_NEWER',
      `${path} was written by Stillpoint ${head.stillpointVersion} and is at migration ${newest.name}; ` +
        `this program knows ${migrations.length}.`,
    );
  }
  for (const [index, { number, name, sha256 }] of head.migrations.entries()) {
    const known = migrations[index] as Migration;
    if (number === known.number && name === known.name && sha256 === known.sha256) continue;
    throw databaseRefusal(
      'DATABASE_EXPORT_OTHER_MIGRATIONS',
      `${path} has the migration ${name} with SHA-256 ${sha256}; this program has ${known.name} with ${known.sha256}.`,
    );
  }
}

async function inImport(
  pool: Pool,
  signal: AbortSignal | undefined,
  work: (client: PoolClient) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  let isCommitting = false;
  try {
    await client.query('begin');
    await work(client);
    signal?.throwIfAborted();
    isCommitting = true;
    await client.query('commit');
  } catch (error) {
    if (!isCommitting) throw error;
    const detail = `${(error as Error).message}. The last answer is missing: look whether the database is empty.`;
    throw new DatabaseError(
      { code: 'DATABASE_IMPORT_FAILED', effect: 'unknown', retryable: true, detail },
      { cause: error },
    );
  } finally {
    // What was not committed ends with the connection, even in the middle of a COPY.
    client.release(true);
  }
}

async function fill(
  client: PoolClient,
  checked: WalkedExport,
  path: string,
  migrations: readonly Migration[],
  options: TransferOptions,
): Promise<void> {
  await fixTextOfValues(client);
  // A server that starts on this database meanwhile waits, and then finds everything in place.
  await lockMigrations(client);
  await checkDatabaseIsEmpty(client);
  await applyAll(client, migrations.slice(0, checked.head.migrations.length));
  const tables = await listExportedTables(client);
  checkTables(path, checked, tables);
  const tableOf = (name: string): ExportedTable =>
    tables.find((table) => table.name === name) ?? unknownTable(name);
  const filled = await walkExport(
    path,
    {
      head: async () => undefined,
      table: (head, rows) => copyTable(client, tableOf(head.table), head, rows, options),
    },
    options.signal,
  );
  if (filled.foot.sha256 !== checked.foot.sha256) throw damaged(path, 'it was changed while it was imported');
  for (const told of filled.tables) await verifyTable(client, tableOf(told.table), told, options);
  await continueSequences(client, filled.foot.sequences);
  await applyAll(client, migrations);
  await client.query('insert into database_import (exported_at) values ($1)', [checked.head.exportedAt]);
  await client.query('analyze');
}

async function applyAll(client: PoolClient, migrations: readonly Migration[]): Promise<void> {
  while ((await applyNext(client, migrations)).name !== undefined);
}

/** Column for column what the migrations make: a table that is missing would otherwise not be missed. */
function checkTables(path: string, { tables }: WalkedExport, made: readonly ExportedTable[]): void {
  const namesOf = (name: string, columns: readonly string[]): string => [name, ...columns].join(' ');
  const told = tables.map(({ table, columns }) => namesOf(table, columns)).toSorted();
  const expected = made.map(({ name, columns }) => namesOf(name, columns)).toSorted();
  if (JSON.stringify(told) !== JSON.stringify(expected))
    throw damaged(path, 'its tables are not those of its migrations');
}

function unknownTable(name: string): never {
  throw new Error(`the table ${name} was there a moment ago`);
}

async function copyTable(
  client: PoolClient,
  table: ExportedTable,
  { columns }: TableHead,
  rows: AsyncIterable<Buffer>,
  { onProgress = () => undefined, signal }: TransferOptions,
): Promise<void> {
  const meter = new RowMeter();
  const into = client.query(copyFrom(copyIn(client, { ...table, columns })));
  await pipeline(Readable.from(counted(rows)), into, signal ? { signal } : {});
  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      meter.take(chunk);
      yield chunk;
      onProgress({ step: 'import', table: table.name, rows: meter.rows });
    }
  }
}

/** Reads a table back, as an export would, and compares it with what the file says of it. */
async function verifyTable(
  client: PoolClient,
  table: ExportedTable,
  told: { readonly rows: number; readonly sha256: string },
  { onProgress = () => undefined, signal }: TransferOptions,
): Promise<void> {
  const meter = new RowMeter();
  for await (const chunk of rowsOf(client, table)) {
    signal?.throwIfAborted();
    meter.take(chunk);
    onProgress({ step: 'verify', table: table.name, rows: meter.rows });
  }
  const seen = meter.foot();
  if (seen.rows === told.rows && seen.sha256 === told.sha256) return;
  throw databaseRefusal(
    'DATABASE_IMPORT_FAILED',
    `The table ${table.name} reads back as ${seen.rows} rows with SHA-256 ${seen.sha256}; ` +
      `the export has ${told.rows} with ${told.sha256}.`,
  );
}

/** Numbers go on after the highest that was given out or is in use. */
async function continueSequences(client: PoolClient, sequences: readonly SequenceState[]): Promise<void> {
  for (const { table, column, lastValue } of sequences) {
    await client.query(
      `select setval(pg_get_serial_sequence($1, $2), highest)
         from (select greatest(max(${client.escapeIdentifier(column)}), $3::bigint) as highest
                 from ${tableName(client, table)}) as used
        where highest is not null`,
      [tableName(client, table), column, lastValue],
    );
  }
}

function failureOfImport(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return databaseFailure('DATABASE_IMPORT_FAILED', 'It was broken off.', error);
  if (error instanceof DatabaseError) return error;
  return databaseFailure('DATABASE_IMPORT_FAILED', `${(error as Error).message}.`, error);
}
