import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { DatabaseError, databaseFailure, databaseRefusal } from '../database-error.ts';
import { programVersion } from '../program-version.ts';
import { placeOfExport, writeExportFile } from './export-file.ts';
import {
  type ExportFoot,
  type ExportHead,
  endOfRows,
  exportFormat,
  exportFormatNumber,
  type SequenceState,
  type TableFoot,
} from './export-format.ts';
import {
  copyOut,
  type ExportedTable,
  fixTextOfValues,
  listExportedTables,
  tableName,
} from './exported-tables.ts';
import { RowMeter } from './row-meter.ts';

/** How far an export or import has come: in which table, and how many of its rows are done. */
export type TransferProgress = {
  readonly step: 'export' | 'check' | 'import' | 'verify';
  readonly table: string;
  readonly rows: number;
};

/** What a caller may want of an export or import. */
export type TransferOptions = {
  readonly onProgress?: (progress: TransferProgress) => void;
  /** Breaks it off; nothing is kept. */
  readonly signal?: AbortSignal;
};

/** What was exported or imported; hashes are of the rows in COPY text format, in hexadecimal. */
export type TransferReport = {
  readonly path: string;
  readonly sizeBytes: number;
  /** RFC 3339. */
  readonly exportedAt: string;
  /** The version that wrote the export. */
  readonly stillpointVersion: string;
  /** The newest migration of the database that was exported. */
  readonly migration: string;
  readonly rows: number;
  readonly tables: readonly ({ readonly name: string } & TableFoot)[];
};

/**
 * Writes all our tables, as they are at one moment, to a new file or into a folder; servers may go on meanwhile. The
 * sealed passwords are among them, the key that opens them is not. Throws `DatabaseError` (DATABASE_EXPORT_…,
 * DATABASE_HOLDS_NOTHING) and then leaves no file.
 */
export async function exportDatabase(
  pool: Pool,
  destination: string,
  options: TransferOptions = {},
): Promise<TransferReport> {
  const exportedAt = new Date();
  const path = placeOfExport(destination, exportedAt);
  const client = await pool.connect();
  try {
    // One view of everything, however long it takes; it keeps nobody from writing.
    await client.query('begin isolation level repeatable read read only');
    await fixTextOfValues(client);
    const head = await headOf(client, exportedAt);
    const done: ({ name: string } & TableFoot)[] = [];
    const sizeBytes = await writeExportFile(path, contentOf(client, head, done, options), options.signal);
    await client.query('commit');
    const migration = head.migrations.at(-1)?.name ?? '';
    const { stillpointVersion } = head;
    return {
      path,
      sizeBytes,
      exportedAt: head.exportedAt,
      stillpointVersion,
      migration,
      rows: sumOf(done),
      tables: done,
    };
  } catch (error) {
    throw failureOfExport(error, options.signal);
  } finally {
    // It ends with its transaction, and a COPY that was broken off with both.
    client.release(true);
  }
}

async function headOf(client: PoolClient, exportedAt: Date): Promise<ExportHead> {
  const { rows } = await client.query<{ found: string | null; version: string }>(
    `select to_regclass('public.schema_migration')::text as found, current_setting('server_version') as version`,
  );
  if (!rows[0]?.found)
    throw databaseRefusal('DATABASE_HOLDS_NOTHING', 'It has no table of migrations (schema_migration).');
  // Not what newer releases keep besides: this may be the export before an upgrade, of a database that lacks it.
  const { rows: migrations } = await client.query<ExportHead['migrations'][number]>(
    'select number, name, sha256 from schema_migration order by number',
  );
  return {
    format: exportFormat,
    formatNumber: exportFormatNumber,
    stillpointVersion: programVersion,
    postgresVersion: rows[0].version,
    exportedAt: exportedAt.toISOString(),
    migrations,
  };
}

/** The bytes of the export; `done` is given each table once it is written. */
async function* contentOf(
  client: PoolClient,
  head: ExportHead,
  done: ({ name: string } & TableFoot)[],
  { onProgress = () => undefined }: TransferOptions,
): AsyncGenerator<Buffer | string> {
  const hash = createHash('sha256');
  const hashed = <Part extends Buffer | string>(part: Part): Part => {
    hash.update(part);
    return part;
  };
  yield hashed(lineOf(head));
  const tables = await listExportedTables(client);
  for (const table of tables) {
    yield hashed(lineOf({ table: table.name, columns: table.columns }));
    const meter = new RowMeter();
    for await (const chunk of rowsOf(client, table)) {
      meter.take(chunk);
      yield hashed(chunk);
      onProgress({ step: 'export', table: table.name, rows: meter.rows });
    }
    const foot = meter.foot();
    yield hashed(endOfRows + lineOf(foot));
    done.push({ name: table.name, ...foot });
  }
  const sequences = await readSequences(client, tables);
  const whole = { tables: tables.length, rows: sumOf(done), sequences, sha256: hash.digest('hex') };
  yield lineOf(whole satisfies ExportFoot);
}

/** The rows of a table as PostgreSQL writes them. */
export function rowsOf(client: PoolClient, table: ExportedTable): AsyncIterable<Buffer> {
  return client.query(copyTo(copyOut(client, table)));
}

/** Sequences know no transaction: what they have given out by now is at least what the rows show. */
async function readSequences(client: PoolClient, tables: readonly ExportedTable[]): Promise<SequenceState[]> {
  const states: SequenceState[] = [];
  for (const { name, identities } of tables) {
    for (const column of identities) {
      const { rows } = await client.query<{ last_value: number | null }>(
        'select pg_sequence_last_value(pg_get_serial_sequence($1, $2)::regclass) as last_value',
        [tableName(client, name), column],
      );
      states.push({ table: name, column, lastValue: rows[0]?.last_value ?? null });
    }
  }
  return states;
}

const lineOf = (value: object): string => `${JSON.stringify(value)}\n`;
const sumOf = (tables: readonly TableFoot[]): number => tables.reduce((sum, { rows }) => sum + rows, 0);

function failureOfExport(error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof DatabaseError) return error;
  if (signal?.aborted) return databaseFailure('DATABASE_EXPORT_FAILED', 'It was broken off.', error);
  return databaseFailure('DATABASE_EXPORT_FAILED', `${(error as Error).message}.`, error);
}
